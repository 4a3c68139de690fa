import fc from 'fast-check';
import { imageSize } from './image-size';

const le16 = (n: number): number[] => [n & 0xff, n >> 8];
const be16 = (n: number): number[] => [n >> 8, n & 0xff];
const le24 = (n: number): number[] => [...le16(n & 0xffff), n >> 16];
const text = (word: string): number[] => [...Buffer.from(word, 'latin1')];
const zeros = (n: number): number[] => Array<number>(n).fill(0);

type Write = (width: number, height: number) => number[];

const riff = (kind: string, rest: number[]): number[] => [
  ...text('RIFF'),
  ...zeros(4),
  ...text('WEBP'),
  ...text(kind),
  ...rest,
];
const segment = (marker: number, payload: number[]): number[] => [
  0xff,
  marker,
  ...be16(payload.length + 2),
  ...payload,
];

const FORMATS: readonly [string, Write][] = [
  [
    'PNG',
    (w, h) => [
      ...Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex'),
      0,
      0,
      ...be16(w),
      0,
      0,
      ...be16(h),
      ...zeros(9),
    ],
  ],
  ['GIF', (w, h) => [...text('GIF89a'), ...le16(w), ...le16(h), ...zeros(20)]],
  ['lossy WebP', (w, h) => riff('VP8 ', [...zeros(4), ...zeros(3), 0x9d, 0x01, 0x2a, ...le16(w), ...le16(h)])],
  [
    'lossless WebP',
    (w, h) => {
      const bits = (w - 1) | ((h - 1) << 14);
      return riff('VP8L', [...zeros(4), 0x2f, ...le16(bits & 0xffff), ...le16(bits >>> 16), ...zeros(8)]);
    },
  ],
  ['extended WebP', (w, h) => riff('VP8X', [...zeros(8), ...le24(w - 1), ...le24(h - 1)])],
  [
    'JPEG',
    (w, h) => [
      ...[0xff, 0xd8, ...segment(0xe1, zeros(5_000)), 0xff, ...segment(0xc4, zeros(30))],
      ...segment(0xc2, [8, ...be16(h), ...be16(w), 3, ...zeros(9)]),
    ],
  ],
];

describe.each(FORMATS)('%s', (_, write) => {
  it('tells its size', () => {
    const side = fc.integer({ min: 1, max: 0x3fff });
    fc.assert(
      fc.property(side, side, (width, height) => {
        expect(imageSize(Buffer.from(write(width, height)))).toEqual({ width, height });
      }),
    );
  });
});

it('is not told by what is no picture, or cut short', () => {
  const [, jpeg] = FORMATS[5]!;
  expect(imageSize(Buffer.from(jpeg(9, 9)).subarray(0, 4_000))).toBeNull();
  expect(imageSize(Buffer.alloc(0))).toBeNull();
  expect(imageSize(Buffer.alloc(64))).toBeNull();
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => imageSize(Buffer.from(bytes)) !== undefined));
});
