//! What a test file needs around its tests: programs started once, participants opened per test, evidence when one fails.
import { after, before, test } from "node:test";
import { launchBrowser } from "./browser.mjs";
import { keepEvidence } from "./evidence.mjs";
import { startFront } from "./front.mjs";
import { requirePrivateNetwork } from "./network.mjs";
import { openParticipant, sdkRoomUrl, serveParticipantPage } from "./participant.mjs";
import { startRoomServer } from "./roomd.mjs";
import { startWitness } from "./witness.mjs";

/**
 * Sets up one test file: room server, TLS front, participant page, browser. Gives an object that is complete once the
 * tests run, and whose `test` declares a test that gets `{ open, meeting, roomUrl, watch }`. `isWitnessed`: the way to the room server is
 * through `witness`.
 */
export function bench({ front: frontOptions = {}, browser: browserOptions = {}, server: serverOptions = {}, isWitnessed = false } = {}) {
    const around = {};
    before(async () => {
        requirePrivateNetwork();
        around.server = await startRoomServer(serverOptions);
        if (isWitnessed) around.witness = await startWitness({ port: around.server.port });
        around.front = await startFront({ port: (around.witness ?? around.server).port, ...frontOptions });
        around.participantPage = await serveParticipantPage();
        around.browser = await launchBrowser({ resolverRules: around.front.resolverRules, ...browserOptions });
        console.log(`Chromium ${around.browser.version}, Node ${process.version}`);
    });
    after(async () => {
        await around.browser?.close();
        await around.participantPage?.close();
        await around.front?.close();
        await around.witness?.close();
        await around.server?.stop();
    });

    around.test = (name, body, { timeout = 120_000 } = {}) =>
        test(name, { timeout }, async () => {
            const seen = { participants: [], pages: [], programs: [around.server.program], texts: {} };
            const desk = {
                ...around,
                /** Opens a participant that ends with the test. */
                async open(participantName) {
                    const person = await openParticipant(around.browser, { name: participantName, pageUrl: around.participantPage.url });
                    seen.participants.push(person);
                    return person;
                },
                /** Makes a room for this test. */
                async meeting(options) {
                    const made = await around.server.createMeeting(options);
                    return { ...made, sdkUrl: sdkRoomUrl(made.roomName) };
                },
                /** Keeps also these pages, programs and texts as evidence. */
                watch({ pages = [], programs = [], texts = {} }) {
                    seen.pages.push(...pages);
                    seen.programs.push(...programs);
                    Object.assign(seen.texts, texts);
                },
            };
            try {
                await body(desk);
            } catch (error) {
                const folder = await keepEvidence(name, { ...seen, texts: { ...seen.texts, "browser.log": around.browser.log.join("\n"), "failure.txt": error.stack } });
                error.message += `\nevidence: ${folder}`;
                throw error;
            } finally {
                for (const person of seen.participants) await person.close();
            }
        });
    return around;
}
