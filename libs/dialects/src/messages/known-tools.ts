import type { Tool } from '../conversation';

/**
 * Tools that Anthropic's models know by their type alone and the caller runs, described for models that do not. The
 * arguments are those Anthropic documents.
 */
export function describeKnownTool(type: string, name: string | undefined): Tool | undefined {
  const [, kind] = /^(bash|text_editor)_\d{8}$/.exec(type) ?? [];
  if (kind === 'bash') return { ...BASH, name: name ?? BASH.name };
  return kind === 'text_editor' ? { ...EDITOR, name: name ?? EDITOR.name } : undefined;
}

const BASH: Tool = {
  name: 'bash',
  description: 'Runs a command in a bash session that stays open between calls.',
  schema: {
    type: 'object',
    properties: {
      command: { type: 'string', description: 'The command to run. Required unless the session is restarted.' },
      restart: { type: 'boolean', description: 'Restarts the session.' },
    },
  },
  strict: false,
};

const EDITOR: Tool = {
  name: 'str_replace_based_edit_tool',
  description: 'Views and edits text files.',
  schema: {
    type: 'object',
    properties: {
      command: { type: 'string', enum: ['view', 'create', 'str_replace', 'insert'] },
      path: { type: 'string', description: 'The file or folder.' },
      view_range: { type: 'array', items: { type: 'integer' }, description: 'First and last line to view.' },
      file_text: { type: 'string', description: 'What the file to create holds.' },
      old_str: { type: 'string', description: 'The text to replace; it has to occur once.' },
      new_str: { type: 'string', description: 'The text to put in its place.' },
      insert_line: { type: 'integer', description: 'The line to insert behind; 0 is the start of the file.' },
      insert_text: { type: 'string', description: 'The text to insert.' },
    },
    required: ['command', 'path'],
  },
  strict: false,
};
