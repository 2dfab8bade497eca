export * from './domain/references';
export * from './domain/segment.decider';
export * from './domain/segment.errors';
export * from './domain/segment.events';
