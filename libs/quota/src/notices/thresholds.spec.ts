import { checkThresholds } from './thresholds';

test('thresholds rise', () => {
  expect(() => checkThresholds([])).not.toThrow();
  expect(() => checkThresholds([1, 50, 100])).not.toThrow();
  expect(() => checkThresholds([50, 50])).toThrow('must rise');
  expect(() => checkThresholds([80, 50])).toThrow('must rise');
});
