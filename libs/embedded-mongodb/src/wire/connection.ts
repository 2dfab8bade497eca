import { Socket } from 'node:net';
import { lengthOfNext, MalformedMessageError, Message, parseMessage, replyTo } from './message';

/** Answers one command; never throws. */
export type Handle = (message: Message) => Promise<Buffer>;

/** Input kept while a command runs; then the socket is paused, and TCP holds the client back. */
const BUFFERED_MAX = 1024 * 1024;

/**
 * Serves one client: takes its messages in order, one at a time, and closes on anything that is not the protocol.
 * A client that does not read its answers stops being served until it does.
 */
export const serveConnection = (socket: Socket, handle: Handle): void => {
  let chunks: Buffer[] = [];
  let length = 0;
  let isBusy = false;

  const take = (count: number): Buffer => {
    const all = chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks, length);
    chunks = all.length > count ? [all.subarray(count)] : [];
    length -= count;
    return all.subarray(0, count);
  };

  const nextMessage = (): Message | undefined => {
    if (length < 4) return undefined;
    if (chunks[0]!.length < 4) chunks = [Buffer.concat(chunks, length)];
    const wanted = lengthOfNext(chunks[0]!);
    return wanted === undefined || length < wanted ? undefined : parseMessage(take(wanted));
  };

  const serve = async (): Promise<void> => {
    isBusy = true;
    try {
      for (let message = nextMessage(); message && !socket.destroyed; message = nextMessage()) {
        const answer = await handle(message);
        if (message.silent) continue;
        socket.cork();
        let hasRoom = true;
        for (const part of replyTo(message, answer)) hasRoom = socket.write(part);
        socket.uncork();
        if (!hasRoom && !socket.destroyed) await drained(socket);
      }
    } catch (error) {
      if (!(error instanceof MalformedMessageError)) throw error;
      socket.destroy();
    } finally {
      isBusy = false;
      if (socket.isPaused() && !socket.destroyed) socket.resume();
    }
  };

  socket.setNoDelay(true);
  // A reset connection is a client that went away.
  socket.on('error', () => socket.destroy());
  socket.on('data', (chunk: Buffer) => {
    chunks.push(chunk);
    length += chunk.length;
    if (!isBusy) void serve();
    else if (length > BUFFERED_MAX) socket.pause();
  });
};

const drained = (socket: Socket): Promise<void> =>
  new Promise((resolve) => {
    const done = (): void => {
      socket.off('drain', done);
      socket.off('close', done);
      resolve();
    };
    socket.on('drain', done);
    socket.on('close', done);
  });
