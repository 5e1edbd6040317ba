// Runs the blob service of Azurite and ends when standard input closes, so that no emulator outlives a test run that
// was killed. The arguments are Azurite's own.
process.stdin.on("end", () => process.exit(0)).resume();
require("azurite/dist/src/blob/main.js");
