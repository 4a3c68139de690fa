// The official OpenAI SDK, of the version it is told: openai.mjs <package> <origin>
import { told, weather } from './scenario.mjs';

const [name, origin] = process.argv.slice(2);
const { default: OpenAI } = await import(name);
const openai = new OpenAI({ baseURL: `${origin}/v1`, apiKey: process.env.TOKEN });
const messages = [{ role: 'user', content: 'Hello!' }];
const tools = [{ type: 'function', function: { name: weather.name, parameters: weather.parameters } }];

const whole = await openai.chat.completions.create({ model: 'fake-n3', messages });
told('whole', whole.choices[0].message.content);

let streamed = '';
for await (const chunk of await openai.chat.completions.create({ model: 'fake-n3', messages, stream: true }))
  streamed += chunk.choices[0]?.delta.content ?? '';
told('streamed', streamed);

const { message } = (await openai.chat.completions.create({ model: 'fake-tools', messages, tools })).choices[0];
told('called', JSON.parse(message.tool_calls[0].function.arguments));
const output = { role: 'tool', tool_call_id: message.tool_calls[0].id, content: weather.output };
const after = await openai.chat.completions.create({
  model: 'fake-n2',
  messages: [...messages, message, output],
  tools,
});
told('after', after.choices[0].message.content);

if (openai.responses) {
  const response = await openai.responses.create({ model: 'fake-n3', input: 'Hello!' });
  told('response', response.output_text);
}
told('vector', (await openai.embeddings.create({ model: 'fake', input: 'Hello!' })).data[0].embedding);
told('model', (await openai.models.retrieve('local/demo')).id);
