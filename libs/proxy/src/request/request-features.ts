import { KeySet } from '../scan/key-set';
import {
  eachElement,
  kindAt,
  type JsonObject,
  type Member,
  membersAt,
  type ScanProblem,
  valueOf,
} from '../scan/request-scan';
import type { Wire } from '../wire';
import {
  CLIENT_TOOLS,
  DESCRIBED_TOOLS,
  type Feature,
  FEATURE_FIELDS,
  MEDIA_KINDS,
  type MediaBlock,
  SEARCH_TOOLS,
  TEXT_BLOCKS,
  TEXT_ITEMS,
} from './feature-tables';

/** A tool that the provider runs, with a number of uses that bounds what it costs. */
export interface SearchTool {
  readonly name: 'web_search' | 'web_fetch' | 'web_search_options';
  /** Null where the request does not say. */
  readonly maxUses: number | null;
  /** Whether the provider may sift what it found with code, in a round of its own for each use. */
  readonly sifts: boolean;
  /** Where in the body a number of uses can be put; null where something stands already. */
  readonly placeForUses: number | null;
  /** Where in the list of tools it stands, if it may be taken out: clients of the responses API send it unasked. */
  readonly optionalAt: number | null;
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

/** One feature is enough to decide on a request; a body full of invented tool types must not make a long list. */
const MAX_FEATURES = 32;
const MAX_NAME_CHARACTERS = 64;
/** Blocks in blocks, or tools in namespaces. A document in the result of a tool is three; each level is read once more by the one around it. */
const MAX_LEVELS = 8;
/** More uses than this are a mistake: they are as if no number was given. */
const MAX_USES = 1_000;

const AUDIO = '"audio"';
const VERSION_SUFFIX = /_\d{8}$/;
const TOOL_KEYS = new KeySet(['type', 'max_uses', 'tools', 'execution']);
/** Versions of the search and fetch tools up to this one bring what they found as it is. */
const LAST_PLAIN = '_20251231';
const MESSAGE_KEYS = new KeySet(['content', 'audio']);
const ITEM_KEYS = new KeySet(['type', 'content', 'output', 'file_id', 'container_id', 'tools']);
const BLOCK_KEYS = new KeySet(['type', 'content', 'source', 'file', 'file_id']);
const SOURCE_KEYS = new KeySet(['type', 'content', 'file_id']);
const DIAGNOSTICS_KEYS = new KeySet(['previous_message_id']);
const CONTEXT_KEYS = new KeySet(['edits']);

/**
 * Looks through messages and tools of a scanned body for what a price or the wall between tenants depends on. It reads
 * structure, not substrings: a schema property called `file_id` or a tool argument of type `image` is neither. Fails
 * only on a key that comes twice or in a foreign spelling where that decides something.
 */
export function survey(wire: Wire, body: Buffer, request: JsonObject): SurveyResult {
  const surveyor = new Surveyor(wire, body);
  surveyor.fields(request);
  surveyor.tools(request.members.get('tools'), request.members.get('max_tool_calls'));
  if (wire === 'responses') surveyor.items(request.members.get('input'));
  else surveyor.messages(request.members.get('messages'));
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
    private readonly wire: Wire,
    private readonly body: Buffer,
  ) {}

  fields(request: JsonObject): void {
    for (const feature of FEATURE_FIELDS[this.wire]) {
      if (isUsed(this.body, request.members.get(feature.name))) this.note(feature);
    }
    this.each(request.members.get('modalities'), (start) => {
      if (this.body.toString('latin1', start, start + AUDIO.length) === AUDIO) this.speaks = true;
      return undefined;
    });
    if (isUsed(this.body, request.members.get('audio'))) this.speaks = true;
    if (isUsed(this.body, request.members.get('web_search_options')))
      this.searches.push({
        name: 'web_search_options',
        ...{ maxUses: 1, sifts: false, placeForUses: null, optionalAt: null },
      });
    const asked = this.membersOf(request.members.get('diagnostics'), DIAGNOSTICS_KEYS);
    if (isUsed(this.body, asked?.get('previous_message_id'))) this.note({ kind: 'state', name: 'previous_message_id' });
    const edits = this.membersOf(request.members.get('context_management'), CONTEXT_KEYS)?.get('edits');
    this.each(edits, (start) => {
      const edit = this.scan(start, TOOL_KEYS);
      if (this.text(edit?.members.get('type'))?.startsWith('compact')) this.note({ kind: 'price', name: 'compaction' });
      return edit && edit.close + 1;
    });
  }

  /** @param callsMax limits the uses of all tools together, in the responses API */
  tools(tools: Member | undefined, callsMax: Member | undefined): void {
    this.each(tools, (start) => {
      const tool = this.scan(start, TOOL_KEYS);
      const type = this.text(tool?.members.get('type'));
      const name = type?.slice(0, MAX_NAME_CHARACTERS).replace(VERSION_SUFFIX, '');
      if (name === undefined) return tool && tool.close + 1;
      // Clients that look through a long list of tools themselves describe the tool with which they do.
      const isClients = name === 'tool_search' && this.text(tool?.members.get('execution')) === 'client';
      if (isClients) return tool && tool.close + 1;
      if (tool && SEARCH_TOOLS[this.wire].has(name)) this.search(name, type!, tool, callsMax);
      else if (!CLIENT_TOOLS[this.wire].has(name)) this.note({ kind: 'hosted_tool', name });
      if (this.wire === 'responses') this.functions(tool?.members.get('tools'));
      if (!DESCRIBED_TOOLS.has(name)) this.knownTools += 1;
      return tool && tool.close + 1;
    });
  }

  /** Tools further down, in a namespace or brought by an item of the input. Whatever there is but functions is hosted. */
  private functions(tools: Member | undefined, level = 0): void {
    if (tools && level === MAX_LEVELS) return this.tooDeep(tools);
    this.each(tools, (start) => {
      const tool = this.scan(start, TOOL_KEYS);
      const name = this.text(tool?.members.get('type'))?.slice(0, MAX_NAME_CHARACTERS);
      if (name !== undefined && !DESCRIBED_TOOLS.has(name)) this.note({ kind: 'hosted_tool', name });
      this.functions(tool?.members.get('tools'), level + 1);
      return tool && tool.close + 1;
    });
  }

  private search(name: string, type: string, tool: JsonObject, callsMax: Member | undefined): void {
    const isOptional = this.wire === 'responses';
    const own = tool.members.get('max_uses');
    this.searches.push({
      name: name === 'web_fetch' ? name : 'web_search',
      maxUses: this.usesIn(isOptional ? callsMax : own),
      sifts: !isOptional && type > `${name}${LAST_PLAIN}`,
      placeForUses: isOptional || own ? null : tool.open + 1,
      optionalAt: isOptional ? tool.open : null,
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

  /** The input of a response: a text, or items of which many are messages. */
  items(input: Member | undefined): void {
    this.each(input, (start) => {
      const item = this.scan(start, ITEM_KEYS);
      if (!item) return undefined;
      const end = item.close + 1;
      const { members } = item;
      const type = this.text(members.get('type'));
      if (isUsed(this.body, members.get('file_id'))) this.note({ kind: 'state', name: 'file_id' });
      if (isUsed(this.body, members.get('container_id'))) this.note({ kind: 'state', name: 'container_id' });
      this.functions(members.get('tools'));
      // The type of a reference may be left out; it then has an id and nothing to say.
      if (type === 'item_reference' || (type === undefined && !members.has('content')))
        this.note({ kind: 'state', name: 'item_reference' });
      else if (type === undefined || type === 'message') this.blocks(members.get('content'));
      else if (type.endsWith('_output')) this.blocks(members.get('output'));
      else if (!TEXT_ITEMS.has(type)) this.media.push({ kind: MEDIA_KINDS[type] ?? 'other', start, end });
      return end;
    });
  }

  /** A list of blocks, or one block where a lenient provider takes it without the list. */
  private blocks(content: Member | undefined, level = 0): void {
    if (content && level === MAX_LEVELS) this.tooDeep(content);
    else if (content && kindAt(this.body, content.valueStart) === 'object') this.block(content.valueStart, level);
    else this.each(content, (start) => this.block(start, level));
  }

  /** Returns the offset past the block. */
  private block(start: number, level: number): number | undefined {
    const opened = this.scan(start, BLOCK_KEYS);
    if (!opened) return undefined;
    const block = opened.members;
    const end = opened.close + 1;
    const source = this.membersOf(block.get('source'), SOURCE_KEYS);
    const file = this.membersOf(block.get('file'), SOURCE_KEYS);
    for (const holder of [block, source, file])
      if (isUsed(this.body, holder?.get('file_id'))) this.note({ kind: 'state', name: 'file_id' });

    const type = this.text(block.get('type')) ?? '';
    if (type === 'document' && this.text(source?.get('type')) === 'text') return end;
    if (type === 'document' && this.text(source?.get('type')) === 'content') {
      this.blocks(source?.get('content'), level + 1);
    } else if (type.endsWith('tool_result')) this.blocks(block.get('content'), level + 1);
    else if (!TEXT_BLOCKS[this.wire].has(type) && !type.endsWith('tool_use')) {
      this.media.push({ kind: MEDIA_KINDS[type] ?? 'other', start, end });
    }
    return end;
  }

  private tooDeep({ valueStart: offset }: Member): void {
    this.problem ??= { reason: 'too_deep', offset };
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

  /** A number of uses; for a provider null is as good as none. */
  private usesIn(member: Member | undefined): number | null {
    const value = member && valueOf(this.body, member);
    return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= MAX_USES ? value : null;
  }

  /** The text of a member that is a string. */
  private text(member: Member | undefined): string | undefined {
    if (!member || kindAt(this.body, member.valueStart) !== 'string') return undefined;
    return valueOf(this.body, member) as string;
  }
}

const UNUSED: ReadonlySet<string> = new Set(['null', 'false', '[]', '""']);

/** Whether a member is there and says something. An empty object does: `web_search_options: {}` turns the search on. */
function isUsed(body: Buffer, member: Member | undefined): boolean {
  if (!member) return false;
  const length = member.valueEnd - member.valueStart;
  return length > 5 || !UNUSED.has(body.toString('latin1', member.valueStart, member.valueEnd));
}
