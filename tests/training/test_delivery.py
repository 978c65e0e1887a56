"""Workers that see the store's folder of artifacts put ensembles there themselves."""

import os
import shutil
from concurrent.futures import Executor

import pytest

from bmastore import PassOptions, digests
from bmastore.arrays import PanelArrays
from bmastore.storage import artifacts
from bmastore.storage.paths import models_path
from bmastore.training.delivery import ModelsFolder, fit_and_deliver
from bmastore.workers.chunks import Chunk
from bmastore.workers.local import local_executor
from tests.helpers import CONFIG, FAST, stock

RUN = "0f" * 16


class Listening(Executor):
    """Workers here, and all that they send back."""

    def __init__(self, workers):
        self.pool, self.sent = local_executor(workers), []

    def submit(self, job, *args):
        future = self.pool.submit(job, *args)
        future.add_done_callback(lambda done: self.sent.append(done.result()))
        return future

    def shutdown(self, wait=True):
        self.pool.shutdown(wait)

    @property
    def results(self):
        return [
            outcome.result
            for outcomes in self.sent
            if isinstance(outcomes, list)
            for outcome in outcomes
        ]


def test_local_workers_store_them_and_send_none_back(filled):
    hired = []

    def hire(workers):
        hired.append(Listening(workers))
        return hired[-1]

    assert filled.train(FAST, PassOptions(workers=1), make_executor=hire).trained == 6
    sent = [result for one in hired for result in one.results]
    assert len(sent) == 6
    for result in sent:
        assert result.artifact == b""
        assert artifacts.read(models_path(filled.path), result.artifact_sha256)
    assert filled.verify().findings == ()


def test_the_folder_may_be_a_link_to_one_that_other_hosts_see(filled, tmp_path):
    shared = tmp_path / "shared"
    shared.mkdir()
    shutil.rmtree(models_path(filled.path), ignore_errors=True)
    models_path(filled.path).symlink_to(shared)
    assert filled.train(FAST).trained == 6
    assert len(list(shared.glob("??/*.bma"))) == 7, "six ensembles and the universe"
    assert filled.verify().findings == ()


def test_nothing_but_ensembles_in_use_is_left_in_the_folder(trained):
    in_use = set(trained.sql("select artifact_sha256 from v_latest").iloc[:, 0])
    in_use |= set(trained.sql("select artifact_sha256 from universes").iloc[:, 0])
    assert {path.stem for path in models_path(trained.path).glob("??/*")} == in_use


def test_what_a_worker_cannot_store_it_sends_back(tmp_path):
    folder = ModelsFolder(tmp_path, RUN)
    folder.show()
    chunk = Chunk(PanelArrays.of([stock()]), (None,))
    (stored,) = fit_and_deliver(chunk, CONFIG, folder)
    assert stored.result.artifact == b""
    shutil.rmtree(tmp_path / stored.result.artifact_sha256[:2])
    (tmp_path / stored.result.artifact_sha256[:2]).write_text("in the place of a folder")
    (sent,) = fit_and_deliver(chunk, CONFIG, folder)
    assert digests.of_artifact(sent.result.artifact) == stored.result.artifact_sha256


def test_a_folder_is_seen_by_the_sign_of_the_run_alone(tmp_path):
    here, elsewhere = (
        ModelsFolder(tmp_path / "here", RUN),
        ModelsFolder(tmp_path / "elsewhere", RUN),
    )
    assert not here.is_seen()
    here.show()
    assert here.is_seen()
    assert not elsewhere.is_seen(), "another host has nothing there"
    ModelsFolder(elsewhere.path, "a" * 32).show()
    assert not elsewhere.is_seen(), "another host has a copy of an earlier day"


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="needs a second user")
def test_a_worker_of_another_user_leaves_the_folder_alone(tmp_path):
    folder = ModelsFolder(tmp_path, RUN)
    folder.show()
    (sign,) = tmp_path.glob("*/*")
    os.chown(sign, 12345, -1)
    assert not folder.is_seen()
