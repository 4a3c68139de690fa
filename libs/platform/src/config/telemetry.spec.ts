import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Config } from './config';
import type { TelemetryConfig } from './schema';

let folder: string;
beforeAll(() => (folder = mkdtempSync(join(tmpdir(), 'telemetry-'))));
afterAll(() => rmSync(folder, { recursive: true }));

function load(yaml: string, env: Record<string, string> = {}): TelemetryConfig {
  const file = join(folder, 'gateway.yaml');
  writeFileSync(file, yaml);
  return Config.load(file, env).current.telemetry;
}

const STANDARD = {
  OTEL_EXPORTER_OTLP_ENDPOINT: 'https://collector.example:4318',
  OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: 'https://metrics.example/v1/metrics',
  OTEL_EXPORTER_OTLP_HEADERS: 'authorization=Bearer%20t,x-team=platform',
  OTEL_SERVICE_NAME: 'models',
  OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment.name=production,service.version=1',
};

test('is off, whatever the environment holds', () => {
  expect(load('# nothing set yet\n', STANDARD)).toMatchObject({ enabled: false });
  expect(load('telemetry: { serviceName: a }', STANDARD)).toMatchObject({ enabled: false, serviceName: 'a' });
});

test('on, the standard variables say what the file leaves open', () => {
  const told = load('telemetry: { enabled: true }', STANDARD);
  expect(told).toMatchObject({
    enabled: true,
    endpoint: 'https://collector.example:4318',
    serviceName: 'models',
    resource: { 'deployment.environment.name': 'production', 'service.version': '1' },
    metrics: { endpoint: 'https://metrics.example/v1/metrics' },
    content: false,
  });
  expect(told.traces.endpoint).toBeUndefined();
  expect(told.headers['authorization']?.reveal()).toBe('Bearer t');
  expect(JSON.stringify(told)).not.toContain('Bearer');
});

test('what the file says wins', () => {
  const told = load(
    'telemetry: { enabled: true, endpoint: "https://own.example", headers: { x-team: own }, serviceName: own, resource: { a: b } }',
    STANDARD,
  );
  expect(told).toMatchObject({ endpoint: 'https://own.example', serviceName: 'own' });
  expect(told.headers['x-team']?.reveal()).toBe('own');
  expect(told.headers['authorization']?.reveal()).toBe('Bearer t');
  expect(told.resource).toMatchObject({ a: 'b', 'service.version': '1' });
});

test('the standard variable that turns it off does', () => {
  expect(load('telemetry: { enabled: true }', { OTEL_SDK_DISABLED: 'true' }).enabled).toBe(false);
});

test.each([
  [
    'plain http to somebody else',
    'telemetry: { enabled: true, endpoint: "http://collector.example:4318" }',
    /internal: true/,
  ],
  ['a password in the address', 'telemetry: { endpoint: "https://a:b@collector.example" }', /headers/],
  ['a ratio of two', 'telemetry: { traces: { ratio: 2 } }', /traces.ratio/],
  ['a header that is none', 'telemetry: { headers: { "a b": c } }', /name of a header/],
])('%s is refused', (_, yaml, message) => expect(() => load(yaml)).toThrow(message));

test('plain http is allowed within the own network, and to this machine', () => {
  expect(load('telemetry: { enabled: true, internal: true, endpoint: "http://collector:4318" }').endpoint).toBe(
    'http://collector:4318',
  );
  expect(load('telemetry: { enabled: true }').endpoint).toBe('http://localhost:4318');
});
