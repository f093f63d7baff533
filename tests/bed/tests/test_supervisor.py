"""The supervisor alone: its API, its ends, and beds side by side. No Java and no emulator needed."""

import os
import signal
import socket
import tempfile
import threading
import unittest

from .support import PATIENCE, Bed, CallError, gone, within


class Sleeper:
    """A part with one process that would outlive any test."""

    def __init__(self, ctx):
        self.ctx = ctx

    def start(self):
        return {"pid": self.ctx.spawn("sleeper", ["sleep", "1000"]).pid}


class Failing:
    def __init__(self, ctx):
        pass

    def start(self):
        raise RuntimeError("as it must")


MORE = {name.lower(): ["tests.test_supervisor", name, {}] for name in ("Sleeper", "Failing")}


class Control(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.bed = Bed()

    @classmethod
    def tearDownClass(cls):
        cls.bed.close()

    def test_a_wrong_token_is_refused(self):
        with self.assertRaises(CallError) as caught:
            self.bed.call("faults/start", token="wrong")
        self.assertEqual(caught.exception.status, 401)

    def test_an_unknown_part_and_an_unknown_action_say_what_there_is(self):
        with self.assertRaises(CallError) as caught:
            self.bed.call("fault/start")
        self.assertEqual(caught.exception.status, 404)
        self.assertIn("faults", caught.exception.text)
        with self.assertRaises(CallError) as caught:
            self.bed.call("faults/nothing")
        self.assertEqual(caught.exception.status, 404)

    def test_callers_at_the_same_time_get_one_start(self):
        answers = []
        threads = [threading.Thread(target=lambda: answers.append(self.bed.call("faults/start"))) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(len(answers), 8)
        self.assertTrue(all(answer == answers[0] for answer in answers))

    def test_each_fault_is_what_it_says(self):
        faults = self.bed.call("faults/start")

        def connect(name, seconds=PATIENCE):
            host, port = faults[name].split(":")
            return socket.create_connection((host, int(port)), timeout=seconds)

        with self.assertRaises(TimeoutError):
            connect("hang", 0.5)
        with self.assertRaises(ConnectionRefusedError):
            connect("refused")
        with connect("silent", 0.5) as peer, self.assertRaises(TimeoutError):
            peer.recv(1)
        with connect("close") as peer:
            self.assertEqual(peer.recv(1), b"")
        with connect("http") as peer:
            peer.sendall(b"\x00\x00\x00\x10")
            self.assertTrue(peer.recv(100).startswith(b"HTTP/1.1 200 OK"))


class End(unittest.TestCase):
    def assert_gone(self, bed, pids):
        self.assertTrue(within(PATIENCE, lambda: all(map(gone, pids))), "a process is left")
        self.assertFalse(bed.dir.exists(), "the folder is left")

    def test_it_ends_with_stdin_and_on_term_and_int(self):
        for end in ("eof", signal.SIGTERM, signal.SIGINT):
            with self.subTest(end=str(end)), Bed("sleeper", more=MORE) as bed:
                pids = bed.pids()
                self.assertEqual(len(pids), 1)
                if end != "eof":
                    bed.process.send_signal(end)
                    self.assertEqual(bed.process.wait(PATIENCE), 0)
                else:
                    self.assertEqual(bed.close(), 0)
                self.assert_gone(bed, pids)

    def test_killed_it_leaves_no_process_and_the_next_bed_removes_its_folder(self):
        # In a folder of their own: whatever other bed begins meanwhile would tidy up as well.
        with tempfile.TemporaryDirectory() as own:
            env = {"TMPDIR": own}
            with Bed("sleeper", more=MORE, env=env) as alive, Bed("sleeper", more=MORE, env=env) as bed:
                pids = bed.pids()
                os.kill(bed.ready["pid"], signal.SIGKILL)
                self.assertTrue(within(PATIENCE, lambda: all(map(gone, pids))), "a process is left")
                bed.process.wait(PATIENCE)
                self.assertTrue(bed.dir.exists())
                with Bed(env=env):
                    self.assertFalse(bed.dir.exists(), "the folder of the killed bed is left")
                    self.assertTrue(alive.dir.exists(), "the folder of a living bed was removed")
                alive.call("sleeper/start")

    def test_two_beds_do_not_meet(self):
        with Bed("faults") as one, Bed("faults") as two:
            first, second = one.call("faults/start"), two.call("faults/start")
            self.assertFalse(set(first.values()) & set(second.values()))
            self.assertNotEqual(one.dir, two.dir)

    def test_a_part_that_fails_ends_the_bed_and_says_why(self):
        with self.assertRaisesRegex(RuntimeError, "status 1"):
            Bed("failing", more=MORE)


if __name__ == "__main__":
    unittest.main()
