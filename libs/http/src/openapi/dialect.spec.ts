import { inOpenApi31 } from './dialect';

describe('the dialect of OpenAPI 3.1', () => {
  it('says in the type what was nullable', () =>
    expect(
      inOpenApi31({
        a: { type: 'string', nullable: true },
        b: { allOf: [{ $ref: '#/x' }], nullable: true },
        c: [{ type: 'integer', nullable: false }],
        properties: { nullable: { type: 'boolean' } },
      }),
    ).toEqual({
      a: { type: ['string', 'null'] },
      b: { anyOf: [{ allOf: [{ $ref: '#/x' }] }, { type: 'null' }] },
      c: [{ type: 'integer' }],
      properties: { nullable: { type: 'boolean' } },
    }));
});
