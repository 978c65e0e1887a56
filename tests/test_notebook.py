"""A notebook: no main guard, tables, pictures and a bar; workers as Linux and macOS start them."""

import pytest

AS_ON = {
    "linux": "",
    # What starts worker processes is chosen when this is imported.
    "macos": "import sys, multiprocessing, concurrent.futures.process\n"
    "sys.platform = 'darwin'\n"
    "import bmastore.workers.local\n"
    "sys.platform = 'linux'\n",
}
CELLS = [
    "import bmastore\n"
    "from bmastore.datasets import HORIZON, TARGET, planted_panel\n"
    "store = bmastore.Store('bma.duckdb')\n"
    "store.ingest(planted_panel(n_stocks=4, n_days=320), target=TARGET, horizon=HORIZON);",
    "store.train(bmastore.TrainConfig(preset='ultrafast'), bmastore.PassOptions(workers=2))",
    "store.status()",
    "store.plot('DEMO00')",
    "store.predict()",
]


@pytest.mark.parametrize("how", AS_ON)
def test_cells_train_and_show(tmp_path, how):
    nbformat = pytest.importorskip("nbformat")
    from nbclient import NotebookClient

    cells = [nbformat.v4.new_code_cell(source) for source in [AS_ON[how], *CELLS]]
    notebook = nbformat.v4.new_notebook(cells=cells)
    # Once in many runs nbclient sees a reply that has come only when its wait for it ends.
    NotebookClient(notebook, timeout=60, resources={"metadata": {"path": tmp_path}}).execute()
    _, _, trained, status, picture, forecasts = (cell.outputs for cell in notebook.cells)
    kinds = [set(output.get("data", {})) for output in trained]
    assert any("application/vnd.jupyter.widget-view+json" in kind for kind in kinds)
    assert "trained" in trained[-1]["data"]["text/html"]
    assert "<td>4</td>" in status[-1]["data"]["text/html"]
    assert picture[-1]["data"]["image/png"]
    assert "DEMO03" in forecasts[-1]["data"]["text/html"]
    for cell in notebook.cells:
        assert not [output for output in cell.outputs if output.get("name") == "stderr"]
