export * from './calendar';
export * from './compile-filter';
export * from './fold-text';
export * from './parse-rule';
export * from './rule';
export * from './rule.errors';
