/** The tool that the scripted provider calls in `fake-tools`. */
export const weather = {
  name: 'get_weather',
  description: 'The weather of some days.',
  parameters: {
    type: 'object',
    properties: { city: { type: 'string' }, days: { type: 'array', items: { type: 'integer' } } },
    required: ['city', 'days'],
    additionalProperties: false,
  },
  output: 'sunny',
};

/** One line of what came out, for the test to read. */
export const told = (what, value) => console.log(JSON.stringify([what, value]));
