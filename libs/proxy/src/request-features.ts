import { KeySet } from './key-set';
import { eachElement, kindAt, type JsonObject, type Member, membersAt, type ScanProblem } from './request-scan';

export type Dialect = 'openai' | 'anthropic';

/**
 * Something in a request that its tokens alone do not pay for, or that reaches beyond the request:
 * - `hosted_tool`: the provider runs it and bills per use, or samples again with an input nobody can bound beforehand;
 * - `price`: tokens at another price, or of another model, than the catalogue's entry;
 * - `state`: reads or leaves something in the provider account that all tenants share.
 */
export interface Feature {
  readonly kind: 'hosted_tool' | 'price' | 'state';
  /** The tool's type without its date, or the name of the request field. */
  readonly name: string;
}

/** A block whose tokens its bytes do not bound as text: an image's URL is short, a page's scan is long. */
export interface MediaBlock {
  /** `other` is a document, or a kind that is not known here. */
  readonly kind: 'image' | 'audio' | 'other';
  /** Offsets in the body, the end exclusive. */
  readonly start: number;
  readonly end: number;
}

/** A tool that the provider runs, with a number of uses that bounds what it costs. */
export interface SearchTool {
  readonly name: 'web_search' | 'web_fetch' | 'web_search_options';
  /** Null where the request does not say. */
  readonly maxUses: number | null;
  /** Whether the provider may sift what it found with code, in a round of its own for each use. */
  readonly sifts: boolean;
  /** Where in the body a number of uses can be put; null where something stands already. */
  readonly placeForUses: number | null;
}

export interface Survey {
  readonly features: Feature[];
  readonly media: readonly MediaBlock[];
  readonly searches: readonly SearchTool[];
  /** Whether the answer may be spoken. */
  readonly speaks: boolean;
  readonly declaresTools: boolean;
  /** Tools that the caller runs and the provider describes to the model: their tokens are not in the body. */
  readonly knownTools: number;
}

export type SurveyResult =
  { readonly ok: true; readonly survey: Survey } | { readonly ok: false; readonly problem: ScanProblem };

/** Top-level keys that {@link survey} reads; the scan of the body has to want them. */
export const SURVEYED_KEYS = {
  openai: [
    'messages',
    'tools',
    'functions',
    'web_search_options',
    'modalities',
    'audio',
    'prediction',
    'store',
    'previous_response_id',
    'conversation',
  ],
  anthropic: [
    'messages',
    'tools',
    'container',
    'mcp_servers',
    'thread',
    'previous_message_id',
    'diagnostics',
    'fallbacks',
    'fallback_credit_token',
    'compaction',
    'context_management',
  ],
} as const satisfies Record<Dialect, readonly string[]>;

/** Fields that are a feature whenever they hold more than null, false or an empty list. */
const FEATURE_FIELDS: Record<Dialect, readonly Feature[]> = {
  openai: [
    { kind: 'price', name: 'prediction' },
    { kind: 'state', name: 'store' },
    { kind: 'state', name: 'previous_response_id' },
    { kind: 'state', name: 'conversation' },
  ],
  anthropic: [
    { kind: 'state', name: 'container' },
    { kind: 'hosted_tool', name: 'mcp_servers' },
    { kind: 'state', name: 'thread' },
    { kind: 'state', name: 'previous_message_id' },
    { kind: 'price', name: 'fallbacks' },
    { kind: 'price', name: 'fallback_credit_token' },
    { kind: 'price', name: 'compaction' },
  ],
};

/** Tool types that the caller runs itself. Any other type is taken for hosted: a new one must not slip through free. */
const CLIENT_TOOLS: Record<Dialect, ReadonlySet<string>> = {
  openai: new Set(['function', 'custom']),
  anthropic: new Set(['custom', 'bash', 'text_editor', 'computer', 'computer_toolset', 'browser_toolset', 'memory']),
};

/** Tool types that the caller describes itself, in the body. */
const DESCRIBED_TOOLS: ReadonlySet<string> = new Set(['function', 'custom']);

/** Content blocks that are text, or hold others. Any other type counts as media, an unknown one too. */
const TEXT_BLOCKS: Record<Dialect, ReadonlySet<string>> = {
  openai: new Set(['text', 'refusal']),
  anthropic: new Set([
    'text',
    'thinking',
    'redacted_thinking',
    'search_result',
    'tool_reference',
    'compaction',
    'fallback',
  ]),
};

const MEDIA_KINDS: Readonly<Record<string, MediaBlock['kind']>> = {
  image: 'image',
  image_url: 'image',
  input_audio: 'audio',
};

/** One feature is enough to decide on a request; a body full of invented tool types must not make a long list. */
const MAX_FEATURES = 32;
const MAX_NAME_CHARACTERS = 64;
/** More uses than this are a mistake: they are as if no number was given. */
const MAX_USES = 1_000;

const AUDIO = '"audio"';
const VERSION_SUFFIX = /_\d{8}$/;
const TOOL_KEYS = new KeySet(['type', 'max_uses']);
/** Versions of the search and fetch tools up to this one bring what they found as it is. */
const LAST_PLAIN = '_20251231';
const MESSAGE_KEYS = new KeySet(['content', 'audio']);
const BLOCK_KEYS = new KeySet(['type', 'content', 'source', 'file', 'file_id']);
const SOURCE_KEYS = new KeySet(['type', 'content', 'file_id']);
const DIAGNOSTICS_KEYS = new KeySet(['previous_message_id']);
const CONTEXT_KEYS = new KeySet(['edits']);

/**
 * Looks through messages and tools of a scanned body for what a price or the wall between tenants depends on. It reads
 * structure, not substrings: a schema property called `file_id` or a tool argument of type `image` is neither. Fails
 * only on a key that comes twice or in a foreign spelling where that decides something.
 */
export function survey(dialect: Dialect, body: Buffer, request: JsonObject): SurveyResult {
  const surveyor = new Surveyor(dialect, body);
  surveyor.fields(request);
  surveyor.tools(request.members.get('tools'));
  surveyor.messages(request.members.get('messages'));
  if (surveyor.problem) return { ok: false, problem: surveyor.problem };
  const declaresTools = isUsed(body, request.members.get('tools')) || isUsed(body, request.members.get('functions'));
  const { features, media, searches, speaks, knownTools } = surveyor;
  return { ok: true, survey: { features, media, searches, speaks, declaresTools, knownTools } };
}

class Surveyor {
  readonly features: Feature[] = [];
  readonly media: MediaBlock[] = [];
  readonly searches: SearchTool[] = [];
  speaks = false;
  knownTools = 0;
  problem: ScanProblem | null = null;

  constructor(
    private readonly dialect: Dialect,
    private readonly body: Buffer,
  ) {}

  fields(request: JsonObject): void {
    for (const feature of FEATURE_FIELDS[this.dialect]) {
      if (isUsed(this.body, request.members.get(feature.name))) this.note(feature);
    }
    this.each(request.members.get('modalities'), (start) => {
      if (this.body.toString('latin1', start, start + AUDIO.length) === AUDIO) this.speaks = true;
      return undefined;
    });
    if (this.dialect === 'openai') {
      if (isUsed(this.body, request.members.get('audio'))) this.speaks = true;
      const options = request.members.get('web_search_options');
      if (options && isUsed(this.body, options))
        this.searches.push({ name: 'web_search_options', maxUses: 1, sifts: false, placeForUses: null });
    }
    const asked = this.membersOf(request.members.get('diagnostics'), DIAGNOSTICS_KEYS);
    if (isUsed(this.body, asked?.get('previous_message_id'))) this.note({ kind: 'state', name: 'previous_message_id' });
    const edits = this.membersOf(request.members.get('context_management'), CONTEXT_KEYS)?.get('edits');
    this.each(edits, (start) => {
      const edit = this.scan(start, TOOL_KEYS);
      if (this.text(edit?.members.get('type'))?.startsWith('compact')) this.note({ kind: 'price', name: 'compaction' });
      return edit && edit.close + 1;
    });
  }

  tools(tools: Member | undefined): void {
    this.each(tools, (start) => {
      const tool = this.scan(start, TOOL_KEYS);
      const type = this.text(tool?.members.get('type'));
      const name = type?.slice(0, MAX_NAME_CHARACTERS).replace(VERSION_SUFFIX, '');
      if (this.dialect === 'anthropic' && tool && (name === 'web_search' || name === 'web_fetch'))
        this.searches.push({
          name,
          maxUses: this.usesOf(tool),
          sifts: type! > `${name}${LAST_PLAIN}`,
          placeForUses: tool.members.has('max_uses') ? null : tool.open + 1,
        });
      else if (name !== undefined && !CLIENT_TOOLS[this.dialect].has(name)) this.note({ kind: 'hosted_tool', name });
      if (name !== undefined && !DESCRIBED_TOOLS.has(name)) this.knownTools += 1;
      return tool && tool.close + 1;
    });
  }

  messages(messages: Member | undefined): void {
    this.each(messages, (start) => {
      const message = this.scan(start, MESSAGE_KEYS);
      // An earlier answer's audio is named by the id under which the provider keeps it.
      if (isUsed(this.body, message?.members.get('audio'))) this.note({ kind: 'state', name: 'audio' });
      this.blocks(message?.members.get('content'));
      return message && message.close + 1;
    });
  }

  /** A list of blocks, or one block where a lenient provider takes it without the list. */
  private blocks(content: Member | undefined): void {
    if (content && kindAt(this.body, content.valueStart) === 'object') this.block(content.valueStart);
    else this.each(content, (start) => this.block(start));
  }

  /** Returns the offset past the block. Recursion ends with the nesting that the scan allows. */
  private block(start: number): number | undefined {
    const opened = this.scan(start, BLOCK_KEYS);
    if (!opened) return undefined;
    const block = opened.members;
    const end = opened.close + 1;
    const source = this.membersOf(block.get('source'), SOURCE_KEYS);
    const file = this.membersOf(block.get('file'), SOURCE_KEYS);
    if (block.has('file_id') || source?.has('file_id') || file?.has('file_id'))
      this.note({ kind: 'state', name: 'file_id' });

    const type = this.text(block.get('type')) ?? '';
    if (type === 'document' && this.text(source?.get('type')) === 'text') return end;
    if (type === 'document' && this.text(source?.get('type')) === 'content') {
      this.blocks(source?.get('content'));
    } else if (type.endsWith('tool_result')) this.blocks(block.get('content'));
    else if (!TEXT_BLOCKS[this.dialect].has(type) && !type.endsWith('tool_use')) {
      this.media.push({ kind: MEDIA_KINDS[type] ?? 'other', start, end });
    }
    return end;
  }

  private note(feature: Feature): void {
    if (this.features.length === MAX_FEATURES) return;
    const known = this.features.some(({ kind, name }) => kind === feature.kind && name === feature.name);
    if (!known) this.features.push(feature);
  }

  private each(member: Member | undefined, visit: (start: number) => number | undefined): void {
    if (member && kindAt(this.body, member.valueStart) === 'array') eachElement(this.body, member.valueStart, visit);
  }

  private scan(start: number, wanted: KeySet): JsonObject | undefined {
    if (kindAt(this.body, start) !== 'object') return undefined;
    const result = membersAt(this.body, start, wanted);
    if (result.ok) return result.object;
    this.problem ??= result.problem;
    return undefined;
  }

  private membersOf(member: Member | undefined, wanted: KeySet): JsonObject['members'] | undefined {
    return member && this.scan(member.valueStart, wanted)?.members;
  }

  /** `max_uses`, if it is a number of uses; for a provider null is as good as none. */
  private usesOf({ members }: JsonObject): number | null {
    const member = members.get('max_uses');
    const value: unknown = member && JSON.parse(this.body.toString('utf8', member.valueStart, member.valueEnd));
    return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= MAX_USES ? value : null;
  }

  /** The text of a member that is a string. */
  private text(member: Member | undefined): string | undefined {
    if (!member || kindAt(this.body, member.valueStart) !== 'string') return undefined;
    return JSON.parse(this.body.toString('utf8', member.valueStart, member.valueEnd)) as string;
  }
}

const UNUSED: ReadonlySet<string> = new Set(['null', 'false', '[]', '""']);

/** Whether a member is there and says something. An empty object does: `web_search_options: {}` turns the search on. */
function isUsed(body: Buffer, member: Member | undefined): boolean {
  if (!member) return false;
  const length = member.valueEnd - member.valueStart;
  return length > 5 || !UNUSED.has(body.toString('latin1', member.valueStart, member.valueEnd));
}
