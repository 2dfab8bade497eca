import type { Socket } from 'node:net';
import { MongoClient, MongoNetworkError, type MongoClientOptions } from 'mongodb';
import { Connection } from 'mongodb/lib/cmap/connection';

/**
 * The driver's connection, whose operations end when it does. One that writes to a socket which is destroyed but not
 * yet closed waits for `drain`, of which no socket tells any more; neither a time limit nor the end of the connection
 * ends that wait (seen up to driver 7.9). It listens for `error` too, so it is told there.
 */
class EndingConnection extends Connection {
  constructor(socket: Socket, options: object) {
    super(socket, options);
    socket.once('close', () => {
      if (socket.listenerCount('drain') > 0)
        socket.emit('error', new MongoNetworkError('The connection was closed before all was written.'));
    });
  }
}

/**
 * A client of the official driver whose operations come to an end, whenever a server goes away. Throws what the driver
 * says of an address that is none.
 */
export const newMongoClient = (url: string, options: MongoClientOptions): MongoClient =>
  new MongoClient(url, { ...options, connectionType: EndingConnection } as MongoClientOptions);
