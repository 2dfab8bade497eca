import { Param, type PipeTransform } from '@nestjs/common';
import { InvalidInputProblem } from '../problem/problem';
import { isUuid } from './rules';

const uuidPipe = (name: string): PipeTransform<unknown, string> => ({
  transform: (value) => {
    if (isUuid(value)) return value.toLowerCase();
    throw new InvalidInputProblem([
      { pointer: `/${name}`, in: 'path', code: 'uuid', detail: 'must be a UUID' },
    ]);
  },
});

/** A UUID in the path, in lower case; anything else is a 422 problem. */
export const UuidParam = (name: string): ParameterDecorator => Param(name, uuidPipe(name));
