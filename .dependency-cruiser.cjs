const LIB = '^libs/([^/]+)/src/';
const TEST = '(\\.(spec|suite|contract)\\.ts$|^test/|^libs/testing/)';

/** The layers of the architecture, so that a wrong import fails the build. */
module.exports = {
  forbidden: [
    {
      name: 'no-circular',
      severity: 'error',
      comment: 'A cycle hides a missing seam.',
      from: {},
      to: { circular: true },
    },
    {
      name: 'domain-is-pure',
      severity: 'error',
      comment:
        'Domain code sees domain code, the kernel and the rule language, which is as pure: no framework, driver or Node API.',
      from: { path: `${LIB}domain/`, pathNot: TEST },
      to: { pathNot: ['^libs/$1/src/domain/', '^libs/kernel/src/', '^libs/rules/src/index\\.ts$'] },
    },
    {
      name: 'kernel-imports-nothing',
      severity: 'error',
      from: { path: '^libs/kernel/src/', pathNot: TEST },
      to: { pathNot: '^libs/kernel/src/' },
    },
    {
      name: 'rules-are-pure',
      severity: 'error',
      comment: 'The rule language is plain functions; only its own folder and the kernel.',
      from: { path: '^libs/rules/src/', pathNot: TEST },
      to: { pathNot: ['^libs/rules/src/', '^libs/kernel/src/', '^node_modules/', '^(node:)?crypto$'] },
    },
    {
      name: 'memberships-are-pure',
      severity: 'error',
      comment:
        'Facts and memberships are folds: the rule language, and of other contexts the events as types.',
      from: { path: '^libs/segments/src/(facts|membership)/', pathNot: TEST },
      to: {
        pathNot: [
          '^libs/segments/src/(facts|membership|domain)/',
          '^libs/(kernel|rules|contacts)/src/index\\.ts$',
        ],
      },
    },
    {
      name: 'transparency-log-is-pure',
      severity: 'error',
      comment:
        'Whoever verifies a log reads this folder and nothing else of ours; of Node it takes hashes and signatures.',
      from: { path: '^libs/transparency-log/src/', pathNot: TEST },
      to: { pathNot: ['^libs/transparency-log/src/', '^(node:)?crypto$'] },
    },
    {
      name: 'read-models-know-events-only',
      severity: 'error',
      comment: 'A read model interprets facts; it does not share rules with the write side.',
      from: { path: `${LIB}read-models/`, pathNot: TEST },
      to: { path: '^libs/[^/]+/src/domain/', pathNot: '\\.events\\.ts$' },
    },
    {
      name: 'application-not-to-http-or-read-models',
      severity: 'error',
      from: { path: `${LIB}application/`, pathNot: TEST },
      to: { path: '^libs/[^/]+/src/(http|read-models)/', pathNot: '^libs/http/' },
    },
    {
      name: 'decisions-not-in-http',
      severity: 'error',
      comment: 'Controllers speak in commands and queries; of the domain they know the facts only.',
      from: { path: `${LIB}http/`, pathNot: TEST },
      to: { path: '^libs/[^/]+/src/domain/', pathNot: '\\.events\\.ts$' },
    },
    {
      name: 'event-store-client-in-one-place',
      severity: 'error',
      comment: 'One file is the seam to the client; the embedded server uses its service definitions.',
      from: {
        pathNot: [
          '/esdb\\.[^/]+\\.ts$',
          '^libs/embedded-eventstoredb/',
          '^test/',
          '^apps/ops/src/bench/',
          TEST,
          '^node_modules',
        ],
      },
      to: { path: '^node_modules/@eventstore/db-client/' },
    },
    {
      name: 'mongodb-driver-in-adapters',
      severity: 'error',
      comment:
        'The driver is imported as a value in mongo.*.ts only; its types may be named anywhere outside domain code.',
      from: {
        pathNot: [
          '/mongo\\.[^/]+\\.ts$',
          '^libs/embedded-mongodb/',
          '^test/',
          '^apps/ops/src/bench/',
          TEST,
          '^node_modules',
        ],
      },
      to: { path: '^node_modules/mongodb/', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'contexts-meet-at-index',
      severity: 'error',
      comment: 'Another library is reached through its index.ts only.',
      from: { path: LIB, pathNot: TEST },
      to: { path: LIB, pathNot: ['^libs/$1/', '^libs/[^/]+/src/index\\.ts$'] },
    },
    {
      name: 'apps-use-the-index-of-libs',
      severity: 'error',
      from: { path: '^apps/' },
      to: { path: LIB, pathNot: '^libs/[^/]+/src/index\\.ts$' },
    },
    { name: 'libs-not-to-apps', severity: 'error', from: { path: '^libs/' }, to: { path: '^apps/' } },
    {
      name: 'specs-are-leaves',
      severity: 'error',
      from: { pathNot: TEST },
      to: { path: '\\.(spec|suite|contract)\\.ts$' },
    },
    {
      name: 'test-helpers-stay-in-tests',
      severity: 'error',
      from: { pathNot: TEST },
      to: { path: '^libs/testing/' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { extensions: ['.ts', '.js', '.json'] },
  },
};
