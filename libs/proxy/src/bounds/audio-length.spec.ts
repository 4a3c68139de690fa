import { audioSecondsMax } from './audio-length';

function wav(sampleRate: number, byteRate: number, blockAlign: number): Buffer {
  const head = Buffer.alloc(44);
  head.write('RIFF', 0);
  head.write('WAVE', 8);
  head.write('fmt ', 12);
  head.writeUInt32LE(16, 16);
  head.writeUInt32LE(sampleRate, 24);
  head.writeUInt32LE(byteRate, 28);
  head.writeUInt16LE(blockAlign, 32);
  return head;
}

it.each([
  ['as long as its bytes last', wav(16_000, 32_000, 2), 10],
  ['as long as its samples last, if its byte rate exaggerates', wav(16_000, 320_000, 2), 10],
  ['as long as its byte rate says, if its samples exaggerate', wav(160_000, 32_000, 2), 10],
])('a WAV plays %s', (_, head, seconds) => {
  expect(audioSecondsMax(head, 320_000)).toBe(seconds);
});

it('an MP3 plays no longer than at the slowest rate there is', () => {
  expect(audioSecondsMax(Buffer.from('ID3\u0003\0\0\0\0\0\0\0\0', 'latin1'), 80_000)).toBe(80);
  expect(audioSecondsMax(Buffer.from([0xff, 0xfb, ...Buffer.alloc(20)]), 80_000)).toBe(80);
});

it('what is not known, or never ends, has no bound', () => {
  expect(audioSecondsMax(wav(0, 0, 0), 320_000)).toBeNull();
  expect(audioSecondsMax(wav(16_000, 32_000, 2).subarray(0, 20), 320_000)).toBeNull();
  expect(audioSecondsMax(Buffer.from('OggS, and so on and so on'), 320_000)).toBeNull();
  expect(audioSecondsMax(Buffer.alloc(0), 320_000)).toBeNull();
});
