export * from './clock';
export * from './command-context';
export * from './decider';
export * from './domain-error';
export * from './domain-event';
export * from './event-definition';
export * from './instant';
