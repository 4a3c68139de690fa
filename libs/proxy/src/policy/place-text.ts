import type { Place } from './body-texts';

/** What the APIs call things. Other keys are the caller's own words, which must not be repeated. */
const NAME = /^[a-z][a-z_]{0,31}$/;

/** `messages[2].content[0].text` */
export function placeText(place: Place): string {
  let text = '';
  for (const step of place) {
    if (typeof step === 'number') text += `[${step}]`;
    else text += `${text === '' ? '' : '.'}${NAME.test(step) ? step : '*'}`;
  }
  return text === '' ? 'the request' : text;
}
