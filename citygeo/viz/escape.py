"""
Make text safe for a page: the only place that builds escaped text.

Two readers attack: the browser, which runs what looks like markup, and branca, which renders each element a
second time as a Jinja template, so that a *name* with ``{{ }}`` would run Python while the map is built.
Data travels as JSON (`js`) and is put on the page with ``textContent``; `esc` serves the few places that must
be markup. Never both on one value: the entities would show.
"""

from __future__ import annotations

import html
import json
import re

# beyond HTML: template literals of JavaScript and the delimiters of Jinja
_ESC = str.maketrans({char: f"&#{ord(char)};" for char in "`$\\{}"})
_JS = str.maketrans({char: f"\\u{ord(char):04x}" for char in "<>&'{}$`\u2028\u2029"})
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"')


def esc(value: object) -> str:
    """
    Return a value as text that neither HTML, JavaScript nor Jinja can take for code.

    Examples
    --------
    >>> esc("<b>{{ 7 * 7 }}</b>")
    '&lt;b&gt;&#123;&#123; 7 * 7 &#125;&#125;&lt;/b&gt;'
    """
    return html.escape(str(value), quote=True).translate(_ESC)


def js(obj: object) -> str:
    r"""
    Return an object as JSON that may stand in a script element.

    Parameters
    ----------
    obj
        What JSON holds; NaN and infinity raise ValueError.

    Returns
    -------
    JSON whose strings hold no character that HTML, JavaScript or Jinja could act on; parsed, it equals `obj`.

    Examples
    --------
    >>> js({"name": "</script>"})
    '{"name":"\\u003c/script\\u003e"}'
    """
    text = json.dumps(obj, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return _STRING.sub(lambda token: token[0].translate(_JS), text)
