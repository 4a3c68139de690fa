// The AI SDK with both of its providers: ai.mjs <origin>
import { createAnthropic } from '@ai-sdk/anthropic';
import { createOpenAI } from '@ai-sdk/openai';
import { generateText, jsonSchema, stepCountIs, streamText, tool } from 'ai';
import { told, weather } from './scenario.mjs';

const [origin] = process.argv.slice(2);
const openai = createOpenAI({ baseURL: `${origin}/v1`, apiKey: process.env.TOKEN });
const anthropic = createAnthropic({ baseURL: `${origin}/v1`, authToken: process.env.TOKEN });
const tools = {
  [weather.name]: tool({
    description: weather.description,
    inputSchema: jsonSchema(weather.parameters),
    execute: (input) => (told('called', input), weather.output),
  }),
};
// Nothing is kept for a conversation to refer to.
const providerOptions = { openai: { store: false } };

for (const [what, model] of [
  ['responses', (name) => openai(name)],
  ['chat', (name) => openai.chat(name)],
  ['messages', (name) => anthropic(`claude/${name}`)],
]) {
  told(`${what} whole`, (await generateText({ model: model('fake-n3'), prompt: 'Hello!', providerOptions })).text);
  told(`${what} streamed`, await streamText({ model: model('fake-n3'), prompt: 'Hello!', providerOptions }).text);
  const call = { model: model('fake-tool-once'), prompt: 'Weather?', tools, stopWhen: stepCountIs(3), providerOptions };
  told(`${what} after`, (await generateText(call)).text);
}
