import 'reflect-metadata';
import { Audience, Public, Requires } from '@app/platform';
import { accessOf } from './access';

@Audience('admin')
class Admin {
  @Requires('tenants:read') sound(): void {}
  @Public('health') open(): void {}
  @Public('  ') reasonless(): void {}
  @Public('why not') @Requires('tenants:read') both(): void {}
  @Requires('model:invoke') foreign(): void {}
  bare(): void {}
  @Audience('tenant') @Requires('tenant:read') narrowed(): void {}
}

class Homeless {
  @Requires('tenants:read') lost(): void {}
}

@Audience('tenant')
class Heir extends Admin {}

const of = (controller: new () => unknown, name: string): unknown =>
  accessOf(controller, (controller.prototype as Record<string, () => unknown>)[name] as () => unknown);

test('what a route declares', () => {
  expect(of(Admin, 'sound')).toEqual({ kind: 'guarded', audience: 'admin', permission: 'tenants:read' });
  expect(of(Admin, 'open')).toEqual({ kind: 'public', reason: 'health' });
  expect(of(Admin, 'narrowed')).toEqual({ kind: 'guarded', audience: 'tenant', permission: 'tenant:read' });
});

test.each([
  [Admin, 'reasonless', 'is @Public without a reason'],
  [Admin, 'both', 'is both @Public and @Requires'],
  [Admin, 'foreign', 'requires "model:invoke", which no key of its audience (admin) can have'],
  [Admin, 'bare', 'has neither @Requires nor @Public'],
  [Homeless, 'lost', 'has no @Audience'],
  [Heir, 'sound', 'requires "tenants:read", which no key of its audience (tenant) can have'],
])('%p.%s is not sound', (controller, name, problem) => {
  expect(of(controller, name)).toEqual({ kind: 'undeclared', problem });
});
