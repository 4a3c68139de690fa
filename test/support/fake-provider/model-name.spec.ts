import { behaviourOfModel } from './model-name';

describe('the behaviour in a model name', () => {
  it('is healthy for names that are not of the fake family', () => {
    expect(behaviourOfModel('gpt-5-e500')).toEqual({});
    expect(behaviourOfModel('fake')).toEqual({});
  });

  it('adds up from all the parts', () => {
    expect(behaviourOfModel('fake-l50-n9-g10-s8-i1-o2-c3-w4-v5-r6-h7-x8-crlf-tight-b3-u')).toEqual({
      delayMs: 50,
      chunks: 9,
      gapMs: 10,
      text: 'lorem lo',
      tokens: { input: 1, output: 2, cacheRead: 3, cacheWrite5m: 4, cacheWrite1h: 5, reasoning: 6 },
      pauseAt: 7,
      breakAt: { at: 8, how: 'disconnect' },
      framing: { newline: '\r\n', tight: true, bytesPerWrite: 3 },
      usage: 'missing',
    });
  });

  it.each(['fake-z3', 'fake-Crlf', 'fake-n', 'fake-', 'fake-n3x', 'fake-constructor'])(
    'does not guess at %s',
    (model) => {
      expect(() => behaviourOfModel(model)).toThrow(model);
    },
  );
});
