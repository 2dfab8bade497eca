// Run by mongosh. Makes the replica set if there is none, then waits until it has a primary.
const WAIT_MAX_MS = 60_000;
const startedAt = Date.now();

try {
  rs.status();
} catch (error) {
  // 94: NotYetInitialized. Anything else is not for us to mend.
  if (error.code !== 94) throw error;
  rs.initiate({ _id: 'rs0', members: [{ _id: 0, host: 'mongodb:27017' }] });
}
while (!db.hello().isWritablePrimary) {
  if (Date.now() - startedAt > WAIT_MAX_MS) {
    print('The replica set has no primary.');
    quit(1);
  }
  sleep(250);
}
