// The official Anthropic SDK, of the version it is told: anthropic.mjs <package> <origin>
import { told, weather } from './scenario.mjs';

const [name, origin] = process.argv.slice(2);
const { default: Anthropic } = await import(name);
const anthropic = new Anthropic({ baseURL: origin, apiKey: process.env.TOKEN });
const messages = [{ role: 'user', content: 'Hello!' }];
const ask = { max_tokens: 100, messages };
const tools = [{ name: weather.name, description: weather.description, input_schema: weather.parameters }];

told('whole', (await anthropic.messages.create({ model: 'claude/fake-n3', ...ask })).content[0].text);
told('streamed', await anthropic.messages.stream({ model: 'claude/fake-n3', ...ask }).finalText());

const { content } = await anthropic.messages.create({ model: 'claude/fake-tools', ...ask, tools });
const call = content.find(({ type }) => type === 'tool_use');
told('called', call.input);
const result = { role: 'user', content: [{ type: 'tool_result', tool_use_id: call.id, content: weather.output }] };
const turns = [...messages, { role: 'assistant', content }, result];
const after = await anthropic.messages.create({ model: 'claude/fake-n2', max_tokens: 100, messages: turns, tools });
told('after', after.content[0].text);

const beta = await anthropic.beta.messages.create({ model: 'claude/fake-n1', ...ask, betas: ['a-2026-01-01'] });
told('beta', beta.content[0].text);
told('counted', (await anthropic.messages.countTokens({ model: 'claude/fake', messages })).input_tokens > 0);
told('model', (await anthropic.models.retrieve('local/demo')).id);
const models = [];
for await (const { id } of anthropic.models.list({ limit: 1 })) models.push(id);
told('models', models.includes('local/demo'));
