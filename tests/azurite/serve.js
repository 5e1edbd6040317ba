// Runs the blob and queue services of Azurite and ends when standard input closes, so that no emulator outlives a test
// run that was killed. The arguments are those of Azurite's blob service; the queue service, which would not know them,
// is made here: on a free port, and in memory as well.
process.stdin.on("end", () => process.exit(0)).resume();
require("azurite/dist/src/blob/main.js");

const { default: QueueConfiguration } = require("azurite/dist/src/queue/QueueConfiguration.js");
const { default: QueueServer } = require("azurite/dist/src/queue/QueueServer.js");

// Without access log and files: host, port, keep-alive, two databases, extents, access log and its stream, debug log and
// its file, loose, any API version, certificate, key, password, OAuth, account by path alone, in memory.
const options = ["127.0.0.1", 0, undefined, "", "", [], false, undefined, false, undefined, false, false, "", "", ""];
const queues = new QueueServer(new QueueConfiguration(...options, undefined, false, true));
queues.start().then(() => console.log(`Queue service listens on ${queues.getHttpServerAddress()}`));
