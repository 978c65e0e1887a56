"""Whose data it is: what vendors and libraries call their columns, one record each.

Names are compared without case, spaces and punctuation. :func:`recognise` takes the first
record whose ``needs`` are all there; the last one, ``usual``, needs nothing.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

ROLES = ("open", "high", "low", "close", "volume", "adj_close")
_PAIR = "\x1f"

# What most call them; each role's first name that the input has is taken.
_PRICES: dict[str, tuple[str, ...]] = {
    "open": ("open", "openprice", "pxopen", "priceopen", "firstprice", "opn", "开盘", "开盘价",
             "今开", "始値", "시가"),
    "high": ("high", "highprice", "pxhigh", "pricehigh", "max", "hi", "最高", "最高价", "高値",
             "고가"),
    "low": ("low", "lowprice", "pxlow", "pricelow", "min", "lo", "最低", "最低价", "安値", "저가"),
    "close": ("close", "closeprice", "pxlast", "priceclose", "closingprice", "closelast",
              "last", "lastprice", "settle", "schluss", "收盘", "收盘价", "終値", "종가"),
    "volume": ("volume", "vol", "pxvolume", "totalvolume", "tradevolume", "volumetraded",
               "sharestraded", "tickvol", "成交量", "出来高", "거래량"),
    "adj_close": ("adjclose", "adjustedclose", "closeadj", "closeadjusted", "adjustedcloseprice",
                  "adjcloseprice", "adjustmentclose", "adjustedclosingprice", "adjprice",
                  "closeprcadj", "复权收盘价", "后复权收盘价", "前复权收盘价"),
}  # fmt: skip

# Names that hold the ticker wherever they stand, then those that only do without a better one.
_TICKER = (
    "ticker", "tickers", "symbol", "symbols", "sym", "tsymbol", "tickersymbol", "stocksymbol",
    "tscode", "stockcode", "seccode", "securitycode", "securitiescode", "wincode", "windcode",
    "orderbookid", "actsymbol", "tckrsymb", "tic", "ric", "instrument", "instrumentid",
    "permno", "gvkey", "secid", "stkcd", "uniqueid", "assetid", "stockid", "tickerid",
    "股票代码", "证券代码", "代码", "銘柄コード", "종목코드",
)  # fmt: skip
_WEAK_TICKER = (
    "code", "asset", "stock", "security", "sid", "scrip", "isin", "cusip", "sedol", "figi",
    "name", "company", "股票名称", "名称",
)  # fmt: skip
_DATE = (
    "date", "datetime", "tradedate", "tradingdate", "tradingday", "pricedate", "datadate",
    "caldt", "dlycaldt", "timestamp", "timestamps", "day", "ds", "dt", "asofdate", "asof",
    "quotedate", "bizdt", "traddt", "date1", "opentime", "windowstart", "time", "unix",
    "unixtime", "epoch", "period", "index", "日期", "交易日期", "时间", "日付", "일자",
)  # fmt: skip
TICKERS = frozenset((*_TICKER, *_WEAK_TICKER))
DATES = frozenset(_DATE)
_TIME = ("time", "timeofday", "交易时间")


@dataclass(frozen=True)
class Vendor:
    """One vendor's layout.

    Attributes
    ----------
    name:
        What ``--vendor`` calls it.
    needs:
        Plain names that, all together, tell it.
    ticker, date, prices:
        Its own names, which go before the usual ones.
    lot:
        Shares in a unit of its volume.
    signed:
        Whether a minus before a price marks an average of bid and ask.
    divisor:
        Column by which the close is divided to adjust it.
    date_order:
        ``"mdy"`` or ``"dmy"`` where its dates are always written so.
    header:
        Names of its columns where it writes none.
    series:
        Column of the kind of share, for which a symbol may stand several times.
    stem:
        Pattern in whose group a file's name holds the ticker.
    stem_date:
        Pattern in whose groups ``d``, ``m``, ``y`` a file's name holds the date.
    """

    name: str
    needs: frozenset[str] = frozenset()
    ticker: tuple[str, ...] = ()
    date: tuple[str, ...] = ()
    prices: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    lot: int = 1
    signed: bool = False
    divisor: str | None = None
    date_order: str | None = None
    header: tuple[str, ...] = ()
    series: str | None = None
    stem: str | None = None
    stem_date: str | None = None


def _needs(*names: str) -> frozenset[str]:
    return frozenset(names)


_KLINES = (
    "open_time", "open", "high", "low", "close", "volume", "close_time", "quote_volume", "count",
    "taker_buy_volume", "taker_buy_quote_volume", "ignore",
)  # fmt: skip
_ONE_LETTER = {"open": ("o",), "high": ("h",), "low": ("l",), "close": ("c",), "volume": ("v",)}
_RECORDS = (
    Vendor("binance", _needs("opentime", "closetime"), date=("opentime",), header=_KLINES,
           stem=r"([A-Z0-9]+)-\d+[a-zA-Z]+(?:-\d{4}.*)?"),
    Vendor("tushare", _needs("tscode", "tradedate", "vol"), ticker=("tscode",),
           date=("tradedate",), prices={"volume": ("vol",)}, lot=100),
    Vendor("akshare", _needs("日期", "收盘", "成交量"), ticker=("股票代码", "代码"),
           date=("日期",), lot=100),
    Vendor("polygon", _needs("windowstart", "transactions"), date=("windowstart",)),
    Vendor("polygon-rest", _needs("o", "h", "l", "c", "t"), ticker=("symbol", "s"),
           date=("t",), prices=_ONE_LETTER),
    Vendor("alpaca", _needs("timestamp", "tradecount", "vwap"), date=("timestamp",)),
    Vendor("crsp", _needs("permno", "prc"), ticker=("permno",), date=("date", "caldt"),
           prices={"open": ("openprc",), "high": ("askhi",), "low": ("bidlo",),
                   "close": ("prc",), "volume": ("vol",)}, signed=True, divisor="cfacpr"),
    Vendor("crsp-ciz", _needs("permno", "dlyprc"), ticker=("permno",), date=("dlycaldt",),
           prices={"open": ("dlyopen",), "high": ("dlyhigh",), "low": ("dlylow",),
                   "close": ("dlyprc",), "volume": ("dlyvol",)}, signed=True,
           divisor="dlycumfacpr"),
    Vendor("compustat", _needs("gvkey", "datadate", "prccd"), ticker=("tic", "gvkey"),
           date=("datadate",),
           prices={"open": ("prcod",), "high": ("prchd",), "low": ("prcld",),
                   "close": ("prccd",), "volume": ("cshtrd",)}, divisor="ajexdi"),
    Vendor("bhavcopy", _needs("tckrsymb", "clspric"), ticker=("tckrsymb",),
           date=("traddt", "bizdt"),
           prices={"open": ("opnpric",), "high": ("hghpric",), "low": ("lwpric",),
                   "close": ("clspric",), "volume": ("ttltradgvol",)}, series="sctysrs"),
    Vendor("nse", _needs("symbol", "series", "tottrdqty"), ticker=("symbol",),
           date=("timestamp",), prices={"close": ("close",), "volume": ("tottrdqty",)},
           series="series"),
    Vendor("nse-full", _needs("symbol", "series", "ttltrdqnty"), ticker=("symbol",),
           date=("date1",), prices={"close": ("closeprice",), "volume": ("ttltrdqnty",)},
           series="series"),
    Vendor("bse", _needs("sccode", "noofshrs"), ticker=("sccode",), date=("tradingdate",),
           prices={"close": ("close",), "volume": ("noofshrs",)},
           stem_date=r"(?i)eq[a-z_]*_?(?P<d>\d{2})(?P<m>\d{2})(?P<y>\d{2})"),
    Vendor("nasdaq", _needs("closelast"), prices={"close": ("closelast",)}, date_order="mdy"),
    Vendor("investing", _needs("price", "change", "vol"), date=("date",),
           prices={"close": ("price",), "volume": ("vol",)}),
    Vendor("tiingo", _needs("adjclose", "divcash", "splitfactor")),
    Vendor("sharadar", _needs("closeadj", "closeunadj")),
    Vendor("alphavantage", _needs("timestamp", "adjustedclose"), date=("timestamp",)),
    Vendor("stooq", _needs("ticker", "per", "openint"), prices={"volume": ("vol",)}),
    Vendor("metatrader", _needs("tickvol", "spread"), prices={"volume": ("tickvol",)}),
    Vendor("qlib", _needs("factor", "close"), ticker=("instrument", "symbol"),
           date=("datetime", "date")),
    Vendor("kaggle", _needs("name", "close", "volume")),
    Vendor("yahoo", _needs("adjclose", "close")),
    Vendor("usual"),
)  # fmt: skip
VENDORS: Mapping[str, Vendor] = {vendor.name: vendor for vendor in _RECORDS} | {
    # Layouts rather than names: forced here, otherwise recognised by their shape.
    name: Vendor(name)
    for name in ("wide", "melted", "yfinance")
}


def plain(name: str) -> str:
    """A column's name without case, spaces, punctuation and the number before ``1. open``."""
    text = re.sub(r"^\s*\d+[a-z]?\.\s+", "", name.lower())
    return re.sub(r"[\W_]", "", text)


def recognise(names: Iterable[str], forced: str | None) -> Vendor:
    """The vendor of a table with these columns."""
    if forced is not None:
        return VENDORS[forced]
    there = {plain(name) for name in names}
    for vendor in _RECORDS:
        strong = set(_TICKER) & there
        if vendor.needs <= there and not (vendor.name == "kaggle" and strong):
            return vendor
    raise AssertionError("the usual record needs nothing")


def price_columns(vendor: Vendor, names: Sequence[str]) -> dict[str, int]:
    """The column of each role that is there."""
    found: dict[str, int] = {}
    for role in ROLES:
        at = first_of((*vendor.prices.get(role, ()), *_PRICES[role]), names)
        if at is not None and at not in found.values():
            found[role] = at
    return found


def ticker_column(vendor: Vendor, names: Sequence[str], *, weak: bool = True) -> int | None:
    """The column of the ticker; names such as ``code`` count only where ``weak``."""
    return first_of((*vendor.ticker, *_TICKER, *(_WEAK_TICKER if weak else ())), names)


def date_columns(vendor: Vendor, names: Sequence[str]) -> tuple[int | None, int | None]:
    """The columns of the date and of the time of day."""
    day = first_of((*vendor.date, *_DATE), names)
    time = first_of(_TIME, names)
    return day, None if time == day else time


def first_of(wanted: Iterable[str], names: Sequence[str]) -> int | None:
    """The column that has the first of the wanted plain names that is there."""
    at = {plain(name): i for i, name in reversed(list(enumerate(names)))}
    return next((at[name] for name in wanted if name in at), None)


def role_of(name: str) -> str | None:
    """The role of a price column by its usual names."""
    wanted = plain(name)
    return next((role for role in ROLES if wanted in _PRICES[role]), None)


def are_prices(names: Sequence[str]) -> bool:
    """Whether all these are names of prices, or of what comes beside them, closes among them."""
    beside = {"dividends", "stocksplits", "capitalgains", "repaired", "vwap", "turnover"}
    roles = [role_of(name) for name in names]
    known = all(role or plain(name) in beside for role, name in zip(roles, names, strict=True))
    return known and bool({"close", "adj_close"} & set(roles))


def pair(first: str, second: str) -> str:
    """One name for a column under two headers."""
    return f"{first}{_PAIR}{second}"


def split_pair(name: str) -> tuple[str, str] | None:
    """The two headers in such a name, also as pandas writes them: ``('Close', 'AAPL')``."""
    if _PAIR in name:
        first, _, second = name.partition(_PAIR)
        return first, second
    written = re.fullmatch(r"\(\s*(['\"])(.*)\1\s*,\s*(['\"])(.*)\3\s*\)", name)
    return (written[2], written[4]) if written else None


def names_without_header(cells: Sequence[str]) -> tuple[str, ...] | None:
    """Names of the columns of a file that begins with values, where a vendor writes it so."""
    binance = VENDORS["binance"].header
    if len(cells) != len(binance):
        return None
    is_epoch = all(re.fullmatch(r"1\d{12}(\d{3})?", cells[i]) for i in (0, 6))
    return binance if is_epoch else None


def ticker_of_stem(stem: str, vendor: Vendor) -> str:
    """The ticker in a file's name."""
    match = re.fullmatch(vendor.stem, stem) if vendor.stem else None
    return match[1] if match else stem


def date_of_stem(stem: str, vendor: Vendor) -> str:
    """The date in a file's name as 2024-01-31; empty if there is none."""
    if vendor.stem_date and (match := re.search(vendor.stem_date, stem)):
        return f"20{match['y']}-{match['m']}-{match['d']}"
    match = re.search(r"(?<!\d)((?:19|20)\d{2})[-_.]?(\d{2})[-_.]?(\d{2})(?!\d)", stem)
    return f"{match[1]}-{match[2]}-{match[3]}" if match else ""
