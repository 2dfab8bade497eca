/** @type {import('jest').Config} */
module.exports = {
  testEnvironment: 'node',
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
