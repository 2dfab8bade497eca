/** Read models that are hard on a runner, and histories for them. */
export * as accountsFixture from './accounts.fixture';
export * from './contact-facts';
export * from './contact-histories';
export * from './crash.read-store';
export * from './death';
export * from './decisions';
export * from './described';
export * from './eventually';
export * from './fixed.clock';
export * from './generators';
export * from './kept.access-log';
export * from './read-model';
export * from './real-mongod';
export * from './recorded';
export * from './rule-generators';
export * from './scripted.event-store';
export * from './simulated.read-store';
export * from './test-servers';
