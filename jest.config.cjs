const { availableParallelism } = require('node:os');

/** @type {import('jest').Config} */
module.exports = {
  testEnvironment: 'node',
  // Specs wait for servers much of the time: on two cores two of them are through sooner than one after the other.
  maxWorkers: Math.max(2, availableParallelism() - 1),
  // A slow machine is no failure: timings never gate a test, they only end one that hangs.
  testTimeout: 600_000,
  roots: ['<rootDir>/apps', '<rootDir>/libs', '<rootDir>/test'],
  testMatch: ['**/*.spec.ts'],
  moduleNameMapper: { '^@app/([^/]+)$': '<rootDir>/libs/$1/src/index' },
  transform: { '^.+\\.(t|j|mj)s$': '@swc/jest' },
  // Written for `this` to be the global object, which strict mode takes away.
  transformIgnorePatterns: [
    '/node_modules/google-protobuf/',
    '/node_modules/@eventstore/db-client/generated/',
  ],
};
