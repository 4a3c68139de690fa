import { invalidField } from '@app/platform';
import type { Dropped, Tool } from '../conversation';
import { record, records, text, type Json } from '../json';
import { CUSTOM_SCHEMA, customDescription, dropUnknown } from '../request-reader';

const TOOL = new Set(['type', 'name', 'description', 'parameters', 'strict', 'format']);

/** Reads tools of the responses API. Those in a namespace get one flat name, which the answer turns back. */
export class ToolReader {
  readonly custom = new Set<string>();
  readonly namespaced = new Map<string, { namespace: string; name: string }>();

  constructor(private readonly dropped: Dropped) {}

  tools(tools: unknown): Tool[] {
    return records(tools).flatMap((tool) => this.tool(tool, undefined));
  }

  /** The flat name of a tool, or of a call of it. */
  nameOf(told: Json): string {
    const name = text(told['name']) ?? '';
    const namespace = text(told['namespace']);
    return namespace === undefined ? name : flat(namespace, name);
  }

  private tool(tool: Json, namespace: string | undefined): Tool[] {
    const type = text(tool['type']);
    const told = text(tool['name']);
    if (type === 'namespace') return records(tool['tools']).flatMap((inner) => this.tool(inner, told ?? ''));
    if (type !== 'function' && type !== 'custom') {
      this.dropped.add(`tools.${type ?? 'unknown'}`);
      return [];
    }
    if (told === undefined) throw invalidField('tools', 'must each have a name');
    dropUnknown(tool, TOOL, this.dropped, 'tools.');
    const name = namespace === undefined ? told : flat(namespace, told);
    if (namespace !== undefined) this.namespaced.set(name, { namespace, name: told });
    if (type === 'custom') this.custom.add(name);
    return [
      {
        name,
        description: type === 'custom' ? customDescription(tool) : text(tool['description']),
        schema: type === 'custom' ? CUSTOM_SCHEMA : (record(tool['parameters']) ?? { type: 'object', properties: {} }),
        strict: tool['strict'] === true,
      },
    ];
  }
}

const flat = (namespace: string, name: string): string =>
  namespace.endsWith('__') ? namespace + name : `${namespace}__${name}`;
