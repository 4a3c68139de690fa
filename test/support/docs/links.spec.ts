import { anchorsOf, brokenLinks, linksOf, slug } from './links';
import { readPage } from './page';

test.each([
  ['What shows it', 'what-shows-it'],
  ['`server.port` and others', 'serverport-and-others'],
  ['A – b, (c)?', 'a--b-c'],
  ['rate_cards', 'rate_cards'],
])('the fragment of "%s" is %s', (heading, fragment) => expect(slug(heading)).toBe(fragment));

test('headings that come again are numbered, those in blocks are none', () => {
  const page = readPage('a.md', '# A\n## B\n```sh\n# C\n```\n## B');
  expect([...anchorsOf(page)]).toEqual(['a', 'b', 'b-1']);
});

test('links are found outside of code and only into the repository', () => {
  const page = readPage('a.md', '[a](b.md#c) [d](https://e.example) `[f](g.md)` [h](#i)\n```md\n[j](k.md)\n```');
  expect(linksOf(page)).toEqual(['b.md#c', '#i']);
});

test('a link is broken when its file or its heading is missing', () => {
  const page = readPage(
    'docs/a.md',
    '# A b\n[1](#a-b) [2](#c) [3](../LICENSE) [4](../LICENCE) [5](../CONTRIBUTING.md#tests) [6](../CONTRIBUTING.md#no)',
  );
  expect(brokenLinks(page)).toEqual(['#c', '../LICENCE', '../CONTRIBUTING.md#no']);
});
