"""Read a page as its tests need it: well-formed, tables, pictures."""

import base64
import io
import re
from html.parser import HTMLParser

from PIL import Image

_VOID = {'meta', 'img', 'input', 'br', 'hr', 'link'}


class PageReader(HTMLParser):
    """Fails on tags that do not close in order, keeps what matters."""

    def __init__(self, text):
        super().__init__()
        self.open, self.tables, self.images = [], [], []
        self.ids, self.links, self.titles = [], [], []
        self.text = text
        self.feed(text)
        self.close()
        assert self.open == []
        assert len(self.ids) == len(set(self.ids))
        assert set(self.links) <= set(self.ids)

    def handle_starttag(self, tag, attributes):
        known = dict(attributes)
        if tag not in _VOID:
            self.open.append(tag)
        if 'id' in known:
            self.ids.append(known['id'])
        if known.get('href', '').startswith('#'):
            self.links.append(known['href'][1:])
        if tag == 'table':
            self.tables.append([])
        elif tag == 'tr':
            self.tables[-1].append([])
        elif tag in ('th', 'td'):
            self.tables[-1][-1].append('')
        elif tag == 'img':
            assert 'alt' in known
            self.images.append(known)
        elif tag in ('script', 'link', 'iframe', 'object'):
            assert not {'src', 'href', 'data'} & set(known)

    def handle_startendtag(self, tag, attributes):
        self.handle_starttag(tag, attributes)
        if tag not in _VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] == 'h2':
            self.titles.append(data)
        if {'td', 'th'} & set(self.open):
            self.tables[-1][-1][-1] += data

    def table(self, title):
        """Rows of the table whose first title this is, by first cell."""
        return {row[0]: row[1:] for table in self.tables
                if table[0][0] == title for row in table[1:]}

    def pictures(self):
        """All pictures, decoded."""
        out = []
        for known in self.images:
            kind, data = known['src'].split(',', 1)
            assert re.fullmatch(r'data:image/(png|jpeg);base64', kind)
            out.append(Image.open(io.BytesIO(base64.b64decode(data))))
        return out


def read_page(path):
    """Read a page that must need no network."""
    text = path.read_text('utf-8')
    bare = re.sub(r'data:image/\w+;base64,[\w+/=]+', '', text)
    assert not re.search(r'(https?:)?//[\w.]+\.\w', re.sub(
        r'/\*.*?\*/|^\s*//.*$', '', bare, flags=re.M | re.S))
    assert 'url(' not in bare
    assert '@import' not in bare
    return PageReader(text)
