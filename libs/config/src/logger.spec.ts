import { createLogger, nestLogger } from './logger';

describe('the logger', () => {
  const lines: string[] = [];
  const logger = createLogger('api', 'info', { write: (line) => void lines.push(line) });
  const last = () => JSON.parse(lines.at(-1) ?? '') as Record<string, unknown>;

  it('writes one JSON line with an ISO time and the level by name', () => {
    logger.info({ position: '12' }, 'Caught up.');
    expect(last()).toEqual({
      level: 'info',
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
      app: 'api',
      position: '12',
      msg: 'Caught up.',
    });
  });

  it('leaves out what an error carries beside its type, message and frames', () => {
    const cause = Object.assign(new Error('E11000 dup key: { email: "canary" }'), {
      name: 'MongoServerError',
      code: 11000,
      keyValue: { email: 'canary' },
    });
    logger.error({ err: Object.assign(new Error('It failed.', { cause }), { op: { email: 'canary' } }) });
    expect(lines.at(-1)).not.toContain('canary');
    expect(last().err).toMatchObject({ type: 'Error', message: 'It failed.', cause: { code: '11000' } });
  });

  it('takes the lines of the framework', () => {
    nestLogger(logger).warn('Careful.', 'Router');
    expect(last()).toMatchObject({ level: 'warn', context: 'Router', msg: 'Careful.' });
    nestLogger(logger).log('Mapped {/v1/contacts, GET} route', 'RouterExplorer');
    expect(last()).toMatchObject({ msg: 'Careful.' });
  });
});
