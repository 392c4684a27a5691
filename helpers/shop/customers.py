"""The shop's customers, made from a seed.

Nobody here exists. E-mail addresses are on the domains that RFC 2606 reserves for examples,
telephone numbers are from the range that Ofcom keeps free for drama (01632 960000 to 960999),
towns are invented, and no real postcode begins with Q, V or X.
"""

from random import Random
from typing import Final

from helpers.shop.records import Customer

COUNT: Final = 150

_FIRST: Final = (
    "Aisha Alasdair Amara Anwen Arjun Beatrix Bethan Callum Cerys Chidi Dafydd Daniela Edith "
    "Elowen Emeka Eilidh Farah Fergus Gethin Grace Hamish Harriet Imran Isla Jago Jasmine Kofi "
    "Kerensa Leila Lowri Magnus Mei Morwenna Nadia Niamh Oisin Olu Owen Priya Rhiannon Rohan "
    "Rosalind Rufus Saoirse Tamsin Tomasz Una Wilfred Yasmin Zofia"
)
_LAST: Final = (
    "Adeyemi Applegarth Ashdown Birchall Blackthorne Bracken Caird Chaudhry Coombe Dunmore "
    "Eastgarth Fairbairn Fellows Ferncombe Garside Greenhalgh Hawthorn Heatherley Hussain "
    "Iddenden Jelbert Kowalczyk Larkin Lingard Mackworth Marchbank Nettleton Okonkwo Oakshott "
    "Penhale Quarmby Ravensworth Rowntree Sedgeley Stonehouse Tarrant Thistlewood Trevanion "
    "Underhill Varley Wetherby Whinfield Winterburn Yarrow"
)
_STREETS: Final = (
    "Alder Lane,Bilberry Close,Cairn Terrace,Drovers Road,Fell View,Gorse Hill,Harebell Way,"
    "Juniper Street,Kestrel Rise,Ling Avenue,Moss Bank,Old Quarry Road,Packhorse Lane,"
    "Rowan Crescent,Stile Street,Tarn Walk,Viaduct Road,Wren Mews"
)
_TOWNS: Final = (
    ("Ambersett", "QA"),
    ("Brockleigh", "QB"),
    ("Carrowmere", "QC"),
    ("Dunscar Bridge", "QD"),
    ("Easterby", "VE"),
    ("Fenwhistle", "VF"),
    ("Great Thornby", "VG"),
    ("Hollinghead", "VH"),
    ("Inverlarrick", "XN"),
    ("Kirkmarrow", "XK"),
    ("Little Osmer", "XL"),
    ("Marrowdale", "XM"),
)
_DOMAINS: Final = ("example.com", "example.org", "example.net", "mail.example", "post.example")


def make_customers(random: Random) -> list[Customer]:
    """150 customers with ids C-0001 to C-0150; names, e-mail addresses and numbers are unique."""
    names = [(first, last) for first in _FIRST.split() for last in _LAST.split()]
    streets = _STREETS.split(",")
    made = []
    for number in range(1, COUNT + 1):
        first, last = names.pop(below(random, len(names)))
        town, area = _TOWNS[below(random, len(_TOWNS))]
        letters = "".join("ABDEFGHJLN"[below(random, 10)] for _ in range(2))
        made.append(
            Customer(
                id=f"C-{number:04}",
                name=f"{first} {last}",
                email=f"{first}.{last}@{_DOMAINS[below(random, len(_DOMAINS))]}".lower(),
                phone=f"01632 960{(number * 7) % 1000:03}",
                street=f"{1 + below(random, 120)} {streets[below(random, len(streets))]}",
                town=town,
                postcode=f"{area}{1 + below(random, 20)} {1 + below(random, 9)}{letters}",
            )
        )
    return made


def below(random: Random, bound: int) -> int:
    """A whole number from 0 to `bound` - 1.

    `Random.random` is the one method whose sequence Python promises to keep between versions.
    """
    return int(random.random() * bound)
