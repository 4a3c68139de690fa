import { EFFORTS, type Conversation, type Dropped, type Effort } from './conversation';
import { effortOf } from './thinking';

const GPT = /(?:^|\/)gpt-(\d+)(?:\.(\d+))?(?:-([a-z\d]+))?/;
/** Variants that take the efforts of their version; others, such as pro and codex, have lists of their own. */
const USUAL = /^(mini|nano|sol|luna|terra|\d{4})$/;

/** Efforts by the first version that takes them, newest first, and what it does without thinking. */
const EFFORTS_SINCE: readonly (readonly [version: number, least: Effort | 'none', most: Effort])[] = [
  [600, 'low', 'max'],
  [506, 'none', 'max'],
  [502, 'none', 'xhigh'],
  [501, 'none', 'high'],
  [500, 'minimal', 'high'],
];

/**
 * What models of OpenAI's take by the version in their names, as its guides and SDKs of autumn 2026 have it: what a model
 * does not take fails the request. A name that is none of theirs is left alone, as a server of another maker may have any.
 */
export class OpenAiModel {
  readonly #version: number;
  readonly #thinksFirst: boolean;
  readonly #isOss: boolean;
  readonly #takesEffort: boolean;
  readonly #efforts: readonly [least: Effort | 'none', most: Effort] | undefined;

  constructor(model: string) {
    const [, major, minor, variant] = GPT.exec(model) ?? [];
    const isSeriesO = /(?:^|\/)o\d/.test(model);
    const isChat = minor === undefined && variant === 'chat';
    this.#version = Number(major ?? 0) * 100 + Number(minor ?? 0);
    this.#thinksFirst = isSeriesO || (this.#version >= 500 && !isChat);
    this.#isOss = /(?:^|\/)gpt-oss/.test(model);
    this.#takesEffort = this.#thinksFirst || this.#isOss || /(?:^|\/)codex/.test(model);
    const usual = this.#version >= 600 || variant === undefined || USUAL.test(variant);
    const [, least, most] = (usual && EFFORTS_SINCE.find(([since]) => this.#version >= since)) || [];
    this.#efforts = isSeriesO || this.#isOss ? ['low', 'high'] : least && most && [least, most];
  }

  get takesEffort(): boolean {
    return this.#takesEffort;
  }

  /** The effort that comes closest to what was asked; undefined where the model has none. */
  effort({ thinking }: Conversation, dropped: Dropped): Effort | 'none' | undefined {
    if (!thinking) return undefined;
    if (thinking.kind === 'off') return this.#takesEffort ? this.#least(dropped) : undefined;
    if (thinking.kind === 'effort' || this.#takesEffort) return this.#within(effortOf(thinking));
    dropped.add('thinking');
    return undefined;
  }

  /** Without the settings that a model which thinks first refuses; since 5.1 and before 6 it takes most when it does not. */
  sampled(request: Conversation, dropped: Dropped): Conversation {
    if (!this.#thinksFirst) return request;
    const isOff = request.thinking?.kind === 'off' && this.#version >= 501 && this.#version < 600;
    const without = (name: string, value: number | undefined, usual: number): undefined => {
      if (value !== undefined && value !== usual) dropped.add(name);
    };
    return {
      ...request,
      frequencyPenalty: without('frequency_penalty', request.frequencyPenalty, 0),
      presencePenalty: without('presence_penalty', request.presencePenalty, 0),
      ...(!isOff && {
        temperature: without('temperature', request.temperature, 1),
        topP: without('top_p', request.topP, 1),
        logprobs: without('logprobs', request.logprobs, NaN),
      }),
    };
  }

  #least(dropped: Dropped): Effort | 'none' | undefined {
    const least = this.#efforts?.[0];
    if (least !== 'none' && this.#efforts) dropped.add('reasoning_effort');
    return this.#efforts ? least : 'none';
  }

  #within(effort: Effort): Effort {
    if (!this.#efforts) return effort;
    const [least, most] = this.#efforts;
    // A model that can do without thinking begins with a low effort.
    const lowest = EFFORTS.indexOf(least === 'none' ? 'low' : least);
    const at = Math.min(Math.max(EFFORTS.indexOf(effort), lowest), EFFORTS.indexOf(most));
    return EFFORTS[at] as Effort;
  }
}
