import { createDepartment, eventually, type Department } from '../support/department';
import { readExposition, type Sample } from '../support/exposition';
import type { Gateway } from '../support/gateway';
import { GatewayWorld } from '../support/gateway-world';
import { CALL_KINDS, callModel } from '../support/mixed-calls';
import { loseProcess } from '../support/lost-process';

/** What Prometheus is told of budgets is what the API tells. */

let world: GatewayWorld;
let gateway: Gateway;
let department: Department;

beforeAll(async () => {
  world = await GatewayWorld.open();
  gateway = world.gateway;
  department = await createDepartment(gateway, { budget: '5.00' });
});
afterAll(() => world.close());

const scrape = async (): Promise<Sample[]> => readExposition((await gateway.call('GET', '/metrics')).text);

interface Budget {
  readonly metric: string;
  readonly period: string;
  readonly limit: string | null;
  readonly topUp: string;
  readonly spent: string;
  readonly held: string;
}

test('spent, held, limit and top-up of every window are those of the API', async () => {
  const path = `/api/v1/admin/tenants/${department.id}/budgets`;
  for (const kind of CALL_KINDS) await callModel(gateway.url, department.token, kind, 'fake-n3-i50');
  await gateway.must('POST', `${path}/top-ups`, { metric: 'cost', period: 'month', amount: '1.5', reason: 'test' });
  // Nothing is under way and what was at hand is given back, so that both tell of the same moment.
  const budgets = await eventually(
    async () => (await gateway.must<{ items: Budget[] }>('GET', path)).items,
    (items) => items.every(({ held, spent }) => Number(held) === 0 && Number(spent) > 0),
    20_000,
  );
  const samples = await eventually(scrape, (all) =>
    all.some(({ labels, value }) => labels['tenant'] === department.id && value === 1.5),
  );
  const told = ({ metric, period }: Budget, name: string): number | undefined =>
    samples.find(
      (sample) =>
        sample.name === `openclawmu_budget_${name}` &&
        sample.labels['tenant'] === department.id &&
        sample.labels['scope'] === 'tenant' &&
        sample.labels['metric'] === metric &&
        sample.labels['period'] === period,
    )?.value;
  expect(budgets).toHaveLength(4);
  for (const budget of budgets) {
    const { limit, topUp, spent, held } = budget;
    expect({ spent: told(budget, 'spent'), held: told(budget, 'held'), topUp: told(budget, 'top_up') }).toEqual({
      spent: Number(spent),
      held: Number(held),
      topUp: Number(topUp),
    });
    expect(told(budget, 'limit')).toBe(limit === null ? undefined : Number(limit) + Number(topUp));
    expect([told(budget, 'enforcement_error'), told(budget, 'written_off')]).toEqual([0, 0]);
  }
}, 60_000);

test('a budget is told before the first call of its period, and after the end of its tenant no more', async () => {
  const { id } = await createDepartment(gateway, { budget: '7.00' });
  const figure = (all: Sample[], name: string): number | undefined =>
    all.find((sample) => sample.name === `openclawmu_budget_${name}` && sample.labels['tenant'] === id)?.value;
  const samples = await eventually(scrape, (all) => figure(all, 'limit') !== undefined);
  const names = ['limit', 'spent', 'held', 'top_up', 'written_off', 'enforcement_error'];
  expect(names.map((name) => figure(samples, name))).toEqual([7, 0, 0, 0, 0, 0]);
  await gateway.must('DELETE', `/api/v1/admin/tenants/${id}`);
  await eventually(scrape, (all) => figure(all, 'limit') === undefined);
});

test('refusals are counted by reason and scope', async () => {
  const { id, token } = await createDepartment(gateway, { budget: '0' });
  for (const kind of CALL_KINDS)
    await expect(callModel(gateway.url, token, kind, 'fake-n3')).rejects.toMatchObject({ status: 429 });
  const counted = (await scrape()).filter(({ name }) => name === 'openclawmu_refusals_total');
  expect(counted).toContainEqual({
    name: 'openclawmu_refusals_total',
    labels: { reason: 'budget_exceeded', scope: 'tenant' },
    value: 4,
  });
  expect(JSON.stringify(counted)).not.toContain(id);
});

test('rows that are not sure and processes that are lost are told', async () => {
  await callModel(gateway.url, department.token, { dialect: 'openai', stream: false }, 'fake-n3-liehuge').catch(
    () => undefined,
  );
  await loseProcess(gateway.place, department.id);
  const samples = await eventually(scrape, (all) =>
    all.some(({ name, value }) => name === 'openclawmu_lost_processes' && value === 1),
  );
  expect(samples).toContainEqual({
    name: 'openclawmu_uncertain_rows',
    labels: { tenant: department.id, status: 'quarantined' },
    value: 1,
  });
  expect(samples).toContainEqual({
    name: 'openclawmu_lost_amount',
    labels: { tenant: department.id, scope: 'tenant', metric: 'cost', period: 'day' },
    value: 7e-9,
  });
});
