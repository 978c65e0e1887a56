"""Workers that see the store's folder of artifacts put ensembles there themselves."""

import os
import shutil
from concurrent.futures import Executor
from dataclasses import replace

import pandas as pd
import pytest

from bmastore import PassOptions, Store, digests
from bmastore.arrays import PanelArrays, PooledRows
from bmastore.models.results import Remembered
from bmastore.storage import artifacts
from bmastore.storage.paths import models_path
from bmastore.training.delivery import ModelsFolder, fit_and_deliver
from bmastore.workers.chunks import Chunk
from bmastore.workers.local import local_executor
from tests.helpers import CONFIG, FAST, HORIZON, TARGET, stock

RUN = "0f" * 16


class Listening(Executor):
    """Workers here, all that they are asked, and all that they send back."""

    def __init__(self, workers):
        self.pool, self.asked, self.sent, self.pooled = local_executor(workers), [], [], []

    def everywhere(self, question):
        return self.pool.everywhere(question)

    def submit(self, job, *args):
        self.asked += [one for one in args if isinstance(one, Chunk)]
        self.pooled += [one for one in args if isinstance(one, PooledRows)]
        future = self.pool.submit(job, *args)
        future.add_done_callback(lambda done: self.sent.append(done.result()))
        return future

    def shutdown(self, wait=True):
        self.pool.shutdown(wait)

    @property
    def remembered(self):
        return [one for chunk in self.asked for one in chunk.remembered if one is not None]

    @property
    def results(self):
        return [
            outcome.result
            for outcomes in self.sent
            if isinstance(outcomes, list)
            for outcome in outcomes
        ]


class Unsure(Listening):
    """Workers of which nobody can tell what they see."""

    everywhere = None


def train(store, kind=Listening):
    """Train all, with one worker at a time, each of whom is listened to."""
    hired = []

    def hire(workers):
        hired.append(kind(workers))
        return hired[-1]

    assert store.train(FAST, PassOptions(workers=1), make_executor=hire).trained == 6
    return hired


def test_local_workers_store_them_and_send_none_back(filled):
    (only,) = train(filled)
    assert len(only.results) == 6
    for result in only.results:
        assert result.artifact == b""
        assert artifacts.read(models_path(filled.path), result.artifact_sha256)
    assert filled.verify().findings == ()


class CutOff(Listening):
    """Workers that see the folder, where what is left of the labels is no file of them."""

    left = 1000

    def submit(self, job, *args):
        for labels in self.models.glob("??/*.npz"):
            labels.write_bytes(labels.read_bytes()[: self.left])
        return super().submit(job, *args)


class Emptied(CutOff):
    """Workers that see an empty file, as a shared file system may show it for a moment."""

    left = 0


def test_workers_that_see_the_folder_find_there_what_pooled_models_learn_from(filled, tmp_path):
    same, universes = "select artifact_sha256 from universes", []
    for kind in (Listening, Unsure, CutOff, Emptied):
        shutil.copytree(filled.path.parent, tmp_path / kind.__name__)
        store = Store(tmp_path / kind.__name__ / filled.path.name)
        CutOff.models = models_path(store.path)
        sent = [rows for one in train(store, kind) for rows in one.pooled]
        assert (sent == []) == (kind is Listening)
        universes.append(store.sql(same).iloc[0, 0])
        assert not list(models_path(store.path).glob("??/*.npz"))
    assert len(set(universes)) == 1


@pytest.mark.parametrize("kind", [Listening, Unsure])
def test_workers_that_see_the_folder_are_sent_no_artifacts(trained, panel, tmp_path, kind):
    shutil.copytree(trained.path.parent, tmp_path / "other")
    other = Store(tmp_path / "other" / trained.path.name)
    revised = panel.copy()
    revised.loc[revised.groupby("ticker").tail(HORIZON + 1).index[::2], TARGET] *= 1.5
    for store in (trained, other):
        store.ingest(revised, target=TARGET, horizon=HORIZON)
    other.train(FAST)
    (only,) = train(trained, kind)
    known = only.remembered
    assert len(known) == 6
    for one in known:
        assert (one.artifact == b"") == (kind is Listening)
    same = (
        "select ledger.ticker, attempt, artifact_sha256, weights "
        "from ledger left join ensembles using (entry_id) order by all"
    )
    pd.testing.assert_frame_equal(trained.sql(same), other.sql(same))
    assert trained.sql("select count(*) as n from folds join ledger using (entry_id) "
                       "where attempt = 1")["n"][0], "folds were used again"  # fmt: skip


def test_members_are_compared_without_sending_models_about(filled):
    (only,) = train(filled)
    known = only.remembered
    assert len(known) == 6
    assert all(one.artifact == b"" and one.artifact_sha256 for one in known)


def test_what_cannot_be_read_is_fitted_again(tmp_path):
    folder = ModelsFolder(tmp_path, RUN)
    folder.show()
    chunk = Chunk(PanelArrays.of([stock()]), (None,))
    (first,) = fit_and_deliver(chunk, CONFIG, folder)
    folds, sha256 = first.result.folds, first.result.artifact_sha256
    known = Remembered(folds.records, folds.predictions, b"", artifact_sha256=sha256)
    (again,) = fit_and_deliver(replace(chunk, remembered=(known,)), CONFIG, folder)
    assert again.result.folds.kept == tuple(record.number for record in folds.records)
    assert not again.result.folds.records, "what is stored is not sent again"
    assert not len(again.result.folds.predictions)
    artifacts.path_of(tmp_path, sha256).write_bytes(b"damaged")
    (anew,) = fit_and_deliver(replace(chunk, remembered=(known,)), CONFIG, folder)
    assert not anew.result.folds.kept
    assert {again.result.artifact_sha256, anew.result.artifact_sha256} == {sha256}


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
