import type { Dropped, Turn } from './conversation';

const LINE = /^x-anthropic-billing-header:[^\n]*\n?/;

/**
 * Claude Code begins what the system says with a line for Anthropic's own books, part of which changes with each
 * request. Before any other model it would only keep caches of prompts, which go by the beginning, from ever matching.
 */
export function withoutAttribution(turns: readonly Turn[], dropped: Dropped): readonly Turn[] {
  const [first, ...rest] = turns;
  const [head, ...others] = first?.parts ?? [];
  if (first?.role !== 'system' || head?.kind !== 'text' || !LINE.test(head.text)) return turns;
  dropped.add('system.x-anthropic-billing-header');
  const text = head.text.replace(LINE, '');
  const parts = text === '' ? others : [{ ...head, text }, ...others];
  return [{ ...first, parts }, ...rest];
}
