/** One thing that is wrong with a request. */
export type FieldError = Readonly<{
  /** JSON Pointer into the body, or to the name of a query or path parameter. */
  pointer: string;
  /** Where the pointer points, when it is not the body. */
  in?: 'query' | 'path';
  code: string;
  detail: string;
}>;

/** RFC 9457, as it is sent. */
export type Problem = Readonly<{
  type: string;
  title: string;
  status: number;
  detail: string;
  instance: string;
  code: string;
  requestId: string;
  errors?: readonly FieldError[];
}>;

/**
 * A request that is answered with a problem document. `code` is part of the API. `detail` says what to change and
 * holds no personal value.
 */
export class HttpProblem extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    readonly detail: string,
    readonly extra: Readonly<{
      errors?: readonly FieldError[];
      headers?: Readonly<Record<string, string>>;
      members?: Readonly<Record<string, string | number | boolean | null>>;
    }> = {},
  ) {
    super(detail);
  }
}

/** 422 with every field that is wrong. */
export class InvalidInputProblem extends HttpProblem {
  constructor(errors: readonly FieldError[]) {
    super(422, 'invalid-input', 'The request holds values that cannot be taken; see errors.', { errors });
  }
}
