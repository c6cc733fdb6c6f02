//! The picture of the room page in the README, taken with roomd and a person in the room.
import { mkdir, writeFile } from "node:fs/promises";
import { applianceBench } from "./support/appliance.mjs";
import { openRoomPage } from "./support/room_page.mjs";

const { test } = applianceBench();

test("the room page shows roomd beside oneself", async (desk) => {
    const { roomName } = await desk.meeting();
    const page = await openRoomPage(desk.browser, desk.server.origin, roomName, { name: "page", viewport: { width: 1280, height: 800 } });
    desk.watch({ pages: [page] });
    const box = await desk.appliance({ device: "boardroom" });
    await page.join("Anna");
    await box.carryOut("join_room", { roomUrl: desk.server.origin + roomName, initialMuteStates: { camera: false, microphone: false } });
    await page.untilPlaying("Room boardroom");
    await box.waitState("remote_participants", ({ remoteParticipants: [one] }) => one?.stream?.receiving && one.displayName === "Anna");
    await box.carryOut("send_chat_message", { text: "Good morning from the boardroom" });
    await page.untilText("Good morning from the boardroom");
    const folder = process.env.ROOMD_TEST_SCREENSHOTS;
    if (folder) {
        await mkdir(folder, { recursive: true });
        await writeFile(`${folder}/room-page.png`, await page.screenshot());
    }
    await page.close();
});
