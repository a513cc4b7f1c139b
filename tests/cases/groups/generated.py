"""Transformer of case.map.

Written by fhirmap 0.1.0: change the map and compile it again.
Digest of its texts: 036e35558a832981c7275ea4c615cd9d7a291d96a2dfcb71e7d9beb3bae59fed
"""

from fhirmap.runtime import fhirpath as fp
from fhirmap.runtime.context import RecordRun
from fhirmap.runtime.lists import drop
from fhirmap.runtime.nodes import assign
from fhirmap.runtime.transforms.text import truncate

_types_1 = fp.TypeTable({'Address': {'id': 'string', 'extension*': 'Extension'}, 'Age': {'id': 'string', 'extension*': 'Extension', 'value': 'decimal', 'system': 'uri'}, 'Annotation': {'id': 'string', 'extension*': 'Extension'}, 'Attachment': {'id': 'string', 'extension*': 'Extension'}, 'CodeableConcept': {'id': 'string', 'extension*': 'Extension'}, 'Coding': {'id': 'string', 'extension*': 'Extension', 'system': 'uri'}, 'ContactDetail': {'id': 'string', 'extension*': 'Extension', 'name': 'string', 'telecom*': 'ContactPoint'}, 'ContactPoint': {'id': 'string', 'extension*': 'Extension', 'system': 'code', 'value': 'string'}, 'Contributor': {'id': 'string', 'extension*': 'Extension', 'name': 'string'}, 'Count': {'id': 'string', 'extension*': 'Extension', 'value': 'decimal', 'system': 'uri'}, 'DataRequirement': {'id': 'string', 'extension*': 'Extension'}, 'Distance': {'id': 'string', 'extension*': 'Extension', 'value': 'decimal', 'system': 'uri'}, 'Dosage': {'id': 'string', 'extension*': 'Extension'}, 'Duration': {'id': 'string', 'extension*': 'Extension', 'value': 'decimal', 'system': 'uri'}, 'Expression': {'id': 'string', 'extension*': 'Extension', 'name': 'id'}, 'Extension': {'id': 'string', 'extension*': 'Extension', 'value': ('base64Binary', 'boolean', 'canonical', 'code', 'date', 'dateTime', 'decimal', 'id', 'instant', 'integer', 'markdown', 'oid', 'positiveInt', 'string', 'time', 'unsignedInt', 'uri', 'url', 'uuid', 'Address', 'Age', 'Annotation', 'Attachment', 'CodeableConcept', 'Coding', 'ContactPoint', 'Count', 'Distance', 'Duration', 'HumanName', 'Identifier', 'Money', 'Period', 'Quantity', 'Range', 'Ratio', 'Reference', 'SampledData', 'Signature', 'Timing', 'ContactDetail', 'Contributor', 'DataRequirement', 'Expression', 'ParameterDefinition', 'RelatedArtifact', 'TriggerDefinition', 'UsageContext', 'Dosage', 'Meta')}, 'HumanName': {'id': 'string', 'extension*': 'Extension', 'family': 'string', 'given*': 'string'}, 'Identifier': {'id': 'string', 'extension*': 'Extension', 'system': 'uri', 'value': 'string'}, 'Meta': {'id': 'string', 'extension*': 'Extension'}, 'Money': {'id': 'string', 'extension*': 'Extension', 'value': 'decimal'}, 'ParameterDefinition': {'id': 'string', 'extension*': 'Extension', 'name': 'code'}, 'Patient': {'id': 'id', 'extension*': 'Extension', 'identifier*': 'Identifier', 'active': 'boolean', 'name*': 'HumanName', 'telecom*': 'ContactPoint', 'gender': 'code', 'birthDate': 'date', 'address*': 'Address'}, 'Period': {'id': 'string', 'extension*': 'Extension'}, 'Quantity': {'id': 'string', 'extension*': 'Extension', 'value': 'decimal', 'system': 'uri'}, 'Range': {'id': 'string', 'extension*': 'Extension'}, 'Ratio': {'id': 'string', 'extension*': 'Extension'}, 'Reference': {'id': 'string', 'extension*': 'Extension', 'identifier': 'Identifier'}, 'RelatedArtifact': {'id': 'string', 'extension*': 'Extension'}, 'SampledData': {'id': 'string', 'extension*': 'Extension'}, 'Signature': {'id': 'string', 'extension*': 'Extension'}, 'Timing': {'id': 'string', 'extension*': 'Extension'}, 'TriggerDefinition': {'id': 'string', 'extension*': 'Extension', 'name': 'string'}, 'UsageContext': {'id': 'string', 'extension*': 'Extension', 'value': ('CodeableConcept', 'Quantity', 'Range', 'Reference')}}, {'Address': 'Element', 'Age': 'Quantity', 'Quantity': 'Element', 'Annotation': 'Element', 'Attachment': 'Element', 'CodeableConcept': 'Element', 'Coding': 'Element', 'ContactDetail': 'Element', 'ContactPoint': 'Element', 'Contributor': 'Element', 'Count': 'Quantity', 'DataRequirement': 'Element', 'Distance': 'Quantity', 'Dosage': 'BackboneElement', 'BackboneElement': 'Element', 'Duration': 'Quantity', 'Expression': 'Element', 'Extension': 'Element', 'HumanName': 'Element', 'Identifier': 'Element', 'Meta': 'Element', 'Money': 'Element', 'ParameterDefinition': 'Element', 'Patient': 'DomainResource', 'DomainResource': 'Resource', 'Period': 'Element', 'Range': 'Element', 'Ratio': 'Element', 'Reference': 'Element', 'RelatedArtifact': 'Element', 'SampledData': 'Element', 'Signature': 'Element', 'Timing': 'BackboneElement', 'TriggerDefinition': 'Element', 'UsageContext': 'Element'})
# Element of the result -> rule that makes it, source columns.
_places = {
    'Person.id': ('case.map:15:18', ()),
    'Person.identifier': ('case.map:16:26', ()),
    'Person.identifier.system': ('case.map:19:51', ()),
    'Person.identifier.value': ('case.map:20:50', ()),
    'Person.identifier.use': ('case.map:16:81', ()),
    'Person.name': ('case.map:7:15', ()),
    'Person.name.family': ('types.map:3:22', ()),
    'Person.name.given': ('types.map:4:16', ()),
    'Person.birthDate': ('case.map:8:20', ()),
    'Person.telecom': ('case.map:9:18', ()),
    'Person.telecom.value': ('types.map:7:21', ()),
    'Person.address': ('case.map:10:18', ()),
    'Person.active': ('case.map:11:16', ()),
    'Person.gender': ('case.map:11:24', ()),
}


def entry(src, tgt, run):
    """group entry(source src : Patient, target tgt : Person)  case.map:6"""
    # id  (case.map:15)
    try:
        for v in fp.child(src, 'id'):
            assign(tgt, 'id', [v], (('id',), False), False)
    except run.caught as error:
        run.fail(error)

    # identifier  (case.map:16)
    try:
        for i in fp.child(src, 'identifier'):
            j = {}
            tgt.setdefault('identifier', []).append(j)
            both(i, j, run)
            more(i, j, run)
            # rule-1  (case.map:16)
            j['use'] = 'usual'
            if not j:
                drop(tgt, 'identifier', j)
    except run.caught as error:
        run.fail(error)

    # name  (case.map:7)
    try:
        for name in fp.child(src, 'name'):
            name_2 = {}
            tgt.setdefault('name', []).append(name_2)
            Name(name, name_2, run)
            if not name_2:
                drop(tgt, 'name', name_2)
    except run.caught as error:
        run.fail(error)

    # birthDate  (case.map:8)
    try:
        for birthDate in fp.child(src, 'birthDate'):
            assign(tgt, 'birthDate', [birthDate], (('date',), False), False)
    except run.caught as error:
        run.fail(error)

    # telecom  (case.map:9)
    try:
        for telecom in fp.child(src, 'telecom'):
            telecom_2 = {}
            tgt.setdefault('telecom', []).append(telecom_2)
            Contact(telecom, telecom_2, run)
            if not telecom_2:
                drop(tgt, 'telecom', telecom_2)
    except run.caught as error:
        run.fail(error)

    # address  (case.map:10)
    try:
        for address in fp.child(src, 'address'):
            assign(tgt, 'address', [address], (('Address',), False), True)
    except run.caught as error:
        run.fail(error)

    # batchactive  (case.map:11)
    try:
        for active in fp.child(src, 'active'):
            assign(tgt, 'active', [active], (('boolean',), False), False)
    except run.caught as error:
        run.fail(error)

    # batchgender  (case.map:11)
    try:
        for gender in fp.child(src, 'gender'):
            assign(tgt, 'gender', [gender], (('code',), False), False)
    except run.caught as error:
        run.fail(error)


def both(i, j, run):
    """group both(source i : Identifier, target j : Identifier)  case.map:19"""
    # system  (case.map:19)
    try:
        for s in fp.child(i, 'system'):
            assign(j, 'system', [s], (('uri',), False), False)
    except run.caught as error:
        run.fail(error)


def more(i, j, run):
    """group more(source i : Identifier, target j : Identifier)  case.map:20"""
    # value  (case.map:20)
    try:
        for v in fp.child(i, 'value'):
            assign(j, 'value', [v], (('string',), False), False)
    except run.caught as error:
        run.fail(error)


def Name(src, tgt, run):
    """group Name(source src : HumanName, target tgt : HumanName)  types.map:2"""
    # family  (types.map:3)
    try:
        for f in fp.child(src, 'family'):
            assign(tgt, 'family', [f], (('string',), False), False)
    except run.caught as error:
        run.fail(error)

    # given  (types.map:4)
    try:
        for given in fp.child(src, 'given'):
            assign(tgt, 'given', [given], (('string',), False), True)
    except run.caught as error:
        run.fail(error)


def Contact(src, tgt, run):
    """group Contact(source src : ContactPoint, target tgt : ContactPoint)  types.map:6"""
    # value  (types.map:7)
    try:
        for v in fp.child(src, 'value'):
            value = truncate(fp.value([v]), 3)
            if value is not None:
                tgt['value'] = value
    except run.caught as error:
        run.fail(error)


def _transform(row, strict=False):
    """One record: what it becomes, with notes and faults; no resource where it is out of scope."""
    run = RecordRun(globals(), strict)
    try:
        source = fp.root(row, 'Patient', _types_1, 'Patient')
    except run.caught as error:
        run.abandon(error)
        return run.result({}, _places)
    run.resource = source
    resource = {'resourceType': 'Person'}
    try:
        entry(source, resource, run)
    except run.caught as error:
        run.abandon(error)
    if len(resource) == 1 and not run.failed:
        return run.nothing()
    return run.result(resource, _places)


# From this line on -> where the map says so.
_marks = {
    33: 'case.map:6:7',
    37: 'case.map:15:3',
    38: 'case.map:15:18',
    44: 'case.map:16:3',
    45: 'case.map:16:26',
    47: 'case.map:16:51',
    48: 'case.map:16:63',
    50: 'case.map:16:81',
    51: 'case.map:16:26',
    58: 'case.map:7:3',
    59: 'case.map:7:15',
    61: 'case.map:7:3',
    62: 'case.map:7:15',
    69: 'case.map:8:3',
    70: 'case.map:8:20',
    76: 'case.map:9:3',
    77: 'case.map:9:18',
    79: 'case.map:9:3',
    80: 'case.map:9:18',
    87: 'case.map:10:3',
    88: 'case.map:10:18',
    94: 'case.map:11:3',
    95: 'case.map:11:16',
    101: 'case.map:11:3',
    102: 'case.map:11:24',
    107: 'case.map:19:7',
    111: 'case.map:19:34',
    112: 'case.map:19:51',
    117: 'case.map:20:7',
    121: 'case.map:20:34',
    122: 'case.map:20:50',
    127: 'types.map:2:7',
    131: 'types.map:3:3',
    132: 'types.map:3:22',
    138: 'types.map:4:3',
    139: 'types.map:4:16',
    144: 'types.map:6:7',
    148: 'types.map:7:3',
    149: 'types.map:7:21',
}
