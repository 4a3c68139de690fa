import { isDatabaseAway } from './database-away';

const error = (facts: object, message = 'no more than that') => Object.assign(new Error(message), facts);

describe('what means that the database is away, so that another attempt may not meet it', () => {
  test.each([
    ['the server is going down', error({ code: '57P01' })],
    ['a lock was not to be had in time', error({ code: '55P03' })],
    ['the password was changed', error({ code: '28P01' })],
    ['it has no room for another connection', error({ code: '53300' })],
    ['its files fail it', error({ code: '58030' })],
    ['a session that may not begin, for whatever reason', error({ code: '42501', severity: 'FATAL' })],
    ['the same as TypeORM tells it', error({ driverError: { code: '42501', severity: 'FATAL' } })],
    ['no way there', error({ code: 'EHOSTUNREACH' })],
    ['no file descriptor left', error({ code: 'EMFILE' })],
    ['nobody answers in time', error({}, 'timeout expired')],
  ])('%s', (_, met) => expect(isDatabaseAway(met)).toBe(true));

  test.each([
    ['a row that breaks a constraint', error({ code: '23514', severity: 'ERROR' })],
    ['a statement that may not be made', error({ code: '42501', severity: 'ERROR' })],
    ['a defect of ours', error({}, 'cannot read properties of undefined')],
  ])('not %s', (_, met) => expect(isDatabaseAway(met)).toBe(false));
});
