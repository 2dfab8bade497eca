export * from './calendar';
export * from './canonical';
export * from './compile-filter';
export * from './duration';
export * from './fold-text';
export * from './parse-rule';
export * from './rule';
export * from './rule.errors';
