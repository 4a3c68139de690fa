import { CodedError } from '@app/platform';
import { changeSettings, settingsChange } from './tenant-settings';

const refusal = (work: () => unknown): CodedError => {
  try {
    work();
  } catch (error) {
    if (error instanceof CodedError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
};

test('a change sets what it names, null removes, the rest stays', () => {
  expect(changeSettings({}, { budgetContact: 'ada@example.com' })).toEqual({ budgetContact: 'ada@example.com' });
  expect(changeSettings({ budgetContact: 'ada' }, {})).toEqual({ budgetContact: 'ada' });
  expect(changeSettings({ budgetContact: 'ada' }, { budgetContact: null })).toEqual({});
});

test.each([
  [{ providers: {} }, 'providers'],
  [{ settings: { apiKey: 'x' } }, 'settings.apiKey'],
  [{ settings: { api_key: 'x' } }, 'settings.api_key'],
  [{ settings: { theme: { list: [{ 'ADMIN-KEYS': [] }] } } }, 'settings.theme.list.0.ADMIN-KEYS'],
  [{ allowedModels: ['*'] }, 'allowedModels'],
  [{ settings: { budgets: { month: 1 } } }, 'settings.budgets'],
  [{ limits: null }, 'limits'],
  [{ rateCards: [] }, 'rateCards'],
])('%j names something that is not the tenant’s to set', (body, setting) => {
  const error = refusal(() => settingsChange(body));
  expect(error.code).toBe('setting_reserved');
  expect(error.message).toContain(`"${setting}"`);
  expect(error.details).toEqual({ setting });
});

test('an administrator cannot put a reserved name into the overlay either', () => {
  expect(refusal(() => changeSettings({}, { apiKey: 'x' })).details).toEqual({ setting: 'settings.apiKey' });
});

test.each([
  [{ theme: 'dark' }, 'theme'],
  [{ settings: [] }, 'settings'],
  [{ settings: 'x' }, 'settings'],
  [[], 'settings'],
  [undefined, 'settings'],
])('%j is not a valid change', (body, field) => {
  const error = refusal(() => settingsChange(body));
  expect(error.code).toBe('validation_failed');
  expect(error.details).toMatchObject({ fields: [{ field }] });
});

test.each([
  [{ theme: 'dark' }, 'settings.theme'],
  [{ toString: 'x' }, 'settings.toString'],
  [JSON.parse('{"__proto__": {"budgetContact": "x"}}'), 'settings.__proto__'],
  [{ budgetContact: 7 }, 'settings.budgetContact'],
  [{ budgetContact: 'a\nb' }, 'settings.budgetContact'],
  [{ budgetContact: 'a\u0000' }, 'settings.budgetContact'],
  [{ budgetContact: 'x'.repeat(201) }, 'settings.budgetContact'],
  [{ budgetContact: '' }, 'settings.budgetContact'],
  [{ clampOutput: 'yes' }, 'settings.clampOutput'],
  [{ cacheSeconds: 0 }, 'settings.cacheSeconds'],
  [{ cacheSeconds: 1.5 }, 'settings.cacheSeconds'],
  [{ cacheSeconds: '60' }, 'settings.cacheSeconds'],
  [{ cacheSeconds: 2_592_001 }, 'settings.cacheSeconds'],
])('%j are not valid settings', (change, field) => {
  const error = refusal(() => changeSettings({}, change));
  expect(error.code).toBe('validation_failed');
  expect(error.details).toMatchObject({ fields: [{ field }] });
});

test('a change nested very deeply is looked through without running out of stack', () => {
  let deep: object = { apiKey: 'x' };
  for (let level = 0; level < 20_000; level++) deep = { a: deep };
  expect(refusal(() => settingsChange({ settings: deep })).code).toBe('setting_reserved');
});
