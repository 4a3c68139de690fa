// LangChain with both of its providers: langchain.mjs <origin>
import { ChatAnthropic } from '@langchain/anthropic';
import { HumanMessage, ToolMessage } from '@langchain/core/messages';
import { ChatOpenAI, OpenAIEmbeddings } from '@langchain/openai';
import { told, weather } from './scenario.mjs';

const [origin] = process.argv.slice(2);
const apiKey = process.env.TOKEN;
const configuration = { baseURL: `${origin}/v1` };
const definition = {
  type: 'function',
  function: { name: weather.name, description: weather.description, parameters: weather.parameters },
};

for (const [what, model] of [
  ['chat', (name) => new ChatOpenAI({ model: name, apiKey, configuration })],
  ['responses', (name) => new ChatOpenAI({ model: name, apiKey, configuration, useResponsesApi: true })],
  [
    'messages',
    (name) => new ChatAnthropic({ model: `claude/${name}`, apiKey, anthropicApiUrl: origin, maxTokens: 99 }),
  ],
]) {
  told(`${what} whole`, (await model('fake-n3').invoke('Hello!')).text);
  let streamed = '';
  for await (const chunk of await model('fake-n3').stream('Hello!')) streamed += chunk.text;
  told(`${what} streamed`, streamed);
  const question = new HumanMessage('Weather?');
  const called = await model('fake-tools').bindTools([definition]).invoke([question]);
  const [call] = called.tool_calls;
  told(`${what} called`, call.args);
  const output = new ToolMessage({ tool_call_id: call.id, content: weather.output });
  told(`${what} after`, (await model('fake-n2').bindTools([definition]).invoke([question, called, output])).text);
}
told('vector', await new OpenAIEmbeddings({ model: 'fake', apiKey, configuration }).embedQuery('Hello!'));
