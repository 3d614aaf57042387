"""What well-known services are called: tables, files and maps say the same."""

NO_PEOPLE = "no people 无人口"  # instead of a share of none

SERVICES = {
    "school": ("School", "学校"),
    "primary_school": ("Primary school", "小学"),
    "middle_school": ("Middle school", "中学"),
    "kindergarten": ("Kindergarten", "幼儿园"),
    "childcare": ("Childcare", "托育"),
    "clinic": ("Clinic", "诊所"),
    "hospital": ("Hospital", "医院"),
    "healthcare": ("Healthcare", "医疗"),
    "pharmacy": ("Pharmacy", "药店"),
    "elderly_care": ("Elderly care", "养老"),
    "bus_stop": ("Bus stop", "公交站"),
    "stop": ("Stop", "公交站"),
    "park": ("Park", "公园"),
    "shop": ("Shop", "商店"),
    "library": ("Library", "图书馆"),
    "sports": ("Sports", "体育"),
    "fire_station": ("Fire station", "消防站"),
    "police": ("Police station", "派出所"),
    "post_office": ("Post office", "邮局"),
    "bank": ("Bank", "银行"),
    "market": ("Market", "菜市场"),
}
