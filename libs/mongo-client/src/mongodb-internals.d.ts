/** What is used of the driver's internals. */
declare module 'mongodb/lib/cmap/connection' {
  import type { Socket } from 'node:net';

  export class Connection {
    constructor(socket: Socket, options: object);
  }
}
