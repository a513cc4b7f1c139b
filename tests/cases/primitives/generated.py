"""Transformer of case.map.

Written by fhirmap 0.1.0: change the map and compile it again.
Digest of its texts: e444c8b15046b98228a8560ec35505a828ef4d8cd33c90f886e2b69ae760baa3
"""

from fhirmap.records import Result
from fhirmap.runtime import fhirpath as fp
from fhirmap.runtime.context import RecordRun
from fhirmap.runtime.lists import discard, drop, pruned
from fhirmap.runtime.nodes import assign, slot
from fhirmap.runtime.single import SingleWrite, assign_once
from fhirmap.runtime.transforms.text import cast

_types_1 = fp.TypeTable({'Address': {'id': 'string', 'extension*': 'Extension'}, 'Age': {'id': 'string', 'extension*': 'Extension', 'value': 'decimal'}, 'Annotation': {'id': 'string', 'extension*': 'Extension'}, 'Attachment': {'id': 'string', 'extension*': 'Extension', 'url': 'url'}, 'CodeableConcept': {'id': 'string', 'extension*': 'Extension'}, 'Coding': {'id': 'string', 'extension*': 'Extension'}, 'ContactDetail': {'id': 'string', 'extension*': 'Extension', 'name': 'string'}, 'ContactPoint': {'id': 'string', 'extension*': 'Extension', 'value': 'string'}, 'Contributor': {'id': 'string', 'extension*': 'Extension', 'name': 'string'}, 'Count': {'id': 'string', 'extension*': 'Extension', 'value': 'decimal'}, 'DataRequirement': {'id': 'string', 'extension*': 'Extension'}, 'Distance': {'id': 'string', 'extension*': 'Extension', 'value': 'decimal'}, 'Dosage': {'id': 'string', 'extension*': 'Extension'}, 'Duration': {'id': 'string', 'extension*': 'Extension', 'value': 'decimal'}, 'Expression': {'id': 'string', 'extension*': 'Extension', 'name': 'id'}, 'Extension': {'id': 'string', 'extension*': 'Extension', 'url': 'uri', 'value': ('base64Binary', 'boolean', 'canonical', 'code', 'date', 'dateTime', 'decimal', 'id', 'instant', 'integer', 'markdown', 'oid', 'positiveInt', 'string', 'time', 'unsignedInt', 'uri', 'url', 'uuid', 'Address', 'Age', 'Annotation', 'Attachment', 'CodeableConcept', 'Coding', 'ContactPoint', 'Count', 'Distance', 'Duration', 'HumanName', 'Identifier', 'Money', 'Period', 'Quantity', 'Range', 'Ratio', 'Reference', 'SampledData', 'Signature', 'Timing', 'ContactDetail', 'Contributor', 'DataRequirement', 'Expression', 'ParameterDefinition', 'RelatedArtifact', 'TriggerDefinition', 'UsageContext', 'Dosage', 'Meta')}, 'HumanName': {'id': 'string', 'extension*': 'Extension', 'family': 'string', 'given*': 'string'}, 'Identifier': {'id': 'string', 'extension*': 'Extension', 'value': 'string'}, 'Meta': {'id': 'string', 'extension*': 'Extension'}, 'Money': {'id': 'string', 'extension*': 'Extension', 'value': 'decimal'}, 'ParameterDefinition': {'id': 'string', 'extension*': 'Extension', 'name': 'code'}, 'Patient': {'id': 'id', 'extension*': 'Extension', 'active': 'boolean', 'name*': 'HumanName', 'gender': 'code', 'birthDate': 'date', 'multipleBirth': ('boolean', 'integer')}, 'Period': {'id': 'string', 'extension*': 'Extension'}, 'Quantity': {'id': 'string', 'extension*': 'Extension', 'value': 'decimal'}, 'Range': {'id': 'string', 'extension*': 'Extension'}, 'Ratio': {'id': 'string', 'extension*': 'Extension'}, 'Reference': {'id': 'string', 'extension*': 'Extension'}, 'RelatedArtifact': {'id': 'string', 'extension*': 'Extension', 'url': 'url'}, 'SampledData': {'id': 'string', 'extension*': 'Extension'}, 'Signature': {'id': 'string', 'extension*': 'Extension'}, 'Timing': {'id': 'string', 'extension*': 'Extension'}, 'TriggerDefinition': {'id': 'string', 'extension*': 'Extension', 'name': 'string'}, 'UsageContext': {'id': 'string', 'extension*': 'Extension', 'value': ('CodeableConcept', 'Quantity', 'Range', 'Reference')}}, {'Address': 'Element', 'Age': 'Quantity', 'Quantity': 'Element', 'Annotation': 'Element', 'Attachment': 'Element', 'CodeableConcept': 'Element', 'Coding': 'Element', 'ContactDetail': 'Element', 'ContactPoint': 'Element', 'Contributor': 'Element', 'Count': 'Quantity', 'DataRequirement': 'Element', 'Distance': 'Quantity', 'Dosage': 'BackboneElement', 'BackboneElement': 'Element', 'Duration': 'Quantity', 'Expression': 'Element', 'Extension': 'Element', 'HumanName': 'Element', 'Identifier': 'Element', 'Meta': 'Element', 'Money': 'Element', 'ParameterDefinition': 'Element', 'Patient': 'DomainResource', 'DomainResource': 'Resource', 'Period': 'Element', 'Range': 'Element', 'Ratio': 'Element', 'Reference': 'Element', 'RelatedArtifact': 'Element', 'SampledData': 'Element', 'Signature': 'Element', 'Timing': 'BackboneElement', 'TriggerDefinition': 'Element', 'UsageContext': 'Element'})
_birthDate_2 = fp.RawElement('Patient', 'birthDate', _types_1)
_active_3 = fp.RawElement('Patient', 'active', _types_1)
_name_4 = fp.RawElement('Patient', 'name', _types_1)
_multipleBirth_5 = fp.RawElement('Patient', 'multipleBirth', _types_1)
_gender_6 = fp.RawElement('Patient', 'gender', _types_1)
_extension_7 = fp.RawElement('Patient', 'extension', _types_1)
_url_8 = fp.RawElement('Extension', 'url', _types_1)
_OTHERS_9 = frozenset(('valueBase64Binary', '_valueBase64Binary', 'valueBoolean', '_valueBoolean', 'valueCanonical', '_valueCanonical', 'valueCode', '_valueCode', 'valueDate', '_valueDate', 'valueDateTime', '_valueDateTime', 'valueDecimal', '_valueDecimal', 'valueId', '_valueId', 'valueInstant', '_valueInstant', 'valueInteger', '_valueInteger', 'valueMarkdown', '_valueMarkdown', 'valueOid', '_valueOid', 'valuePositiveInt', '_valuePositiveInt', '_valueString', 'valueTime', '_valueTime', 'valueUnsignedInt', '_valueUnsignedInt', 'valueUri', '_valueUri', 'valueUrl', '_valueUrl', 'valueUuid', '_valueUuid', 'valueAddress', '_valueAddress', 'valueAge', '_valueAge', 'valueAnnotation', '_valueAnnotation', 'valueAttachment', '_valueAttachment', 'valueCodeableConcept', '_valueCodeableConcept', 'valueCoding', '_valueCoding', 'valueContactPoint', '_valueContactPoint', 'valueCount', '_valueCount', 'valueDistance', '_valueDistance', 'valueDuration', '_valueDuration', 'valueHumanName', '_valueHumanName', 'valueIdentifier', '_valueIdentifier', 'valueMoney', '_valueMoney', 'valuePeriod', '_valuePeriod', 'valueQuantity', '_valueQuantity', 'valueRange', '_valueRange', 'valueRatio', '_valueRatio', 'valueReference', '_valueReference', 'valueSampledData', '_valueSampledData', 'valueSignature', '_valueSignature', 'valueTiming', '_valueTiming', 'valueContactDetail', '_valueContactDetail', 'valueContributor', '_valueContributor', 'valueDataRequirement', '_valueDataRequirement', 'valueExpression', '_valueExpression', 'valueParameterDefinition', '_valueParameterDefinition', 'valueRelatedArtifact', '_valueRelatedArtifact', 'valueTriggerDefinition', '_valueTriggerDefinition', 'valueUsageContext', '_valueUsageContext', 'valueDosage', '_valueDosage', 'valueMeta', '_valueMeta'))
_value_10 = fp.RawElement('Extension', 'value', _types_1)
_write_11 = SingleWrite('id', 'case.map:21:18')
_write_12 = SingleWrite('value', 'case.map:13:96', '', ('case.map:21:18',))
_write_13 = SingleWrite('value', 'case.map:14:105', '', ('case.map:21:18',))
_family_14 = fp.RawElement('HumanName', 'family', _types_1)
_given_15 = fp.RawElement('HumanName', 'given', _types_1)
_write_16 = SingleWrite('value', 'case.map:15:102', '', ('case.map:21:18',))
# Element of the result -> rule that makes it, source columns.
_places = {
    'Person.birthDate': ('case.map:6:25', ()),
    'Person.birthDate.id': ('case.map:21:18', ()),
    'Person.birthDate.extension': ('case.map:22:25', ()),
    'Person.active': ('case.map:7:22', ()),
    'Person.active.id': ('case.map:21:18', ()),
    'Person.active.extension': ('case.map:22:25', ()),
    'Person.name': ('case.map:8:15', ()),
    'Person.name.family': ('case.map:17:17', ()),
    'Person.name.family.id': ('case.map:21:18', ()),
    'Person.name.family.extension': ('case.map:22:25', ()),
    'Person.name.given': ('case.map:18:16', ()),
    'Person.name.given.id': ('case.map:21:18', ()),
    'Person.name.given.extension': ('case.map:22:25', ()),
    'Person.extension': ('case.map:9:29', ()),
    'Person.extension.url': ('case.map:9:49', ()),
    'Person.extension.value[x]': ('case.map:9:69', ()),
    'Person.gender': ('case.map:10:22', ()),
}
# Rule or check -> element, source columns, where that table does not say.
_rules = {
    'case.map:6:25': ('Person.birthDate', ()),
    'case.map:13:96': ('Person.birthDate', ()),
    'case.map:7:22': ('Person.active', ()),
    'case.map:14:105': ('Person.active', ()),
    'case.map:17:17': ('Person.name.family', ()),
    'case.map:15:102': ('Person.name.family', ()),
    'case.map:18:16': ('Person.name.given', ()),
    'case.map:9:29': ('Person.extension', ()),
    'case.map:11:27': ('Person.extension', ()),
    'case.map:9:49': ('Person.extension.url', ()),
    'case.map:11:73': ('Person.extension.url', ()),
    'case.map:9:69': ('Person.extension.value[x]', ()),
    'case.map:11:106': ('Person.extension.value[x]', ()),
}
# What is made for each record.
_Run = RecordRun.of(globals())


def entry(src, tgt, run):
    """group entry(source src : Patient, target tgt : Person)  case.map:5"""
    tgt_extension = tgt.get('extension') or []

    # birthDate  (case.map:6)
    try:
        # by items: birthDate may have extensions
        for s in fp.items_at(src, _birthDate_2):
            t = slot(tgt, 'birthDate', (('date',), False), False)
            date(s, t, run)
    except run.caught as error:
        run.fail(error)

    # active  (case.map:7)
    try:
        # by items: active may have extensions
        for s in fp.items_at(src, _active_3):
            t = slot(tgt, 'active', (('boolean',), False), False)
            boolean(s, t, run)
    except run.caught as error:
        run.fail(error)

    # name  (case.map:8)
    try:
        for name_2 in src.get('name') or fp.no_objects(src, _name_4):
            if type(name_2) is dict or fp.is_object(name_2, src, _name_4):
                name_3 = {}
                tgt.setdefault('name', []).append(name_3)
                name(name_2, name_3, run)
                if not name_3:
                    drop(tgt, 'name', name_3)
    except run.caught as error:
        run.fail(error, (src, _name_4))

    # multipleBirth  (case.map:9)
    try:
        # by items: multipleBirth may be of several types
        for m in fp.items_at(src, _multipleBirth_5):
            e = {'url': 'multiple'}
            tgt_extension.append(e)
            assign(e, 'value', [m], (('Address', 'Age', 'Annotation', 'Attachment', 'CodeableConcept', 'Coding', 'ContactDetail', 'ContactPoint', 'Contributor', 'Count', 'DataRequirement', 'Distance', 'Dosage', 'Duration', 'Expression', 'HumanName', 'Identifier', 'Meta', 'Money', 'ParameterDefinition', 'Period', 'Quantity', 'Range', 'Ratio', 'Reference', 'RelatedArtifact', 'SampledData', 'Signature', 'Timing', 'TriggerDefinition', 'UsageContext', 'base64Binary', 'boolean', 'canonical', 'code', 'date', 'dateTime', 'decimal', 'id', 'instant', 'integer', 'markdown', 'oid', 'positiveInt', 'string', 'time', 'unsignedInt', 'uri', 'url', 'uuid'), True), False)
    except run.caught as error:
        run.fail(error)

    # gender  (case.map:10)
    try:
        g = src.get('gender')
        if type(g) is str and g and '_gender' not in src:
            tgt['gender'] = g
        else:
            # by items: there is no value, or it has extensions, or another shape or type
            for g in fp.items_at(src, _gender_6):
                gender = cast(fp.value([g]), 'code')
                if gender is not None:
                    tgt['gender'] = gender
    except run.caught as error:
        run.fail(error)

    # extension  (case.map:11)
    try:
        for ext in src.get('extension') or fp.no_objects(src, _extension_7):
            if type(ext) is dict or fp.is_object(ext, src, _extension_7):
                ext_2 = {}
                tgt_extension.append(ext_2)
                # url  (case.map:11)
                try:
                    url = ext.get('url')
                    if type(url) is str and url and '_url' not in ext:
                        ext_2['url'] = url
                    else:
                        # by items: there is no value, or it has extensions, or another shape or type
                        for url in fp.items_at(ext, _url_8):
                            assign(ext_2, 'url', [url], (('uri',), False), False)
                except run.caught as error:
                    run.fail(error)
                # value  (case.map:11)
                try:
                    v = ext.get('valueString')
                    if type(v) is str and v and _OTHERS_9.isdisjoint(ext):
                        assign(ext_2, 'value', [v], (('Address', 'Age', 'Annotation', 'Attachment', 'CodeableConcept', 'Coding', 'ContactDetail', 'ContactPoint', 'Contributor', 'Count', 'DataRequirement', 'Distance', 'Dosage', 'Duration', 'Expression', 'HumanName', 'Identifier', 'Meta', 'Money', 'ParameterDefinition', 'Period', 'Quantity', 'Range', 'Ratio', 'Reference', 'RelatedArtifact', 'SampledData', 'Signature', 'Timing', 'TriggerDefinition', 'UsageContext', 'base64Binary', 'boolean', 'canonical', 'code', 'date', 'dateTime', 'decimal', 'id', 'instant', 'integer', 'markdown', 'oid', 'positiveInt', 'string', 'time', 'unsignedInt', 'uri', 'url', 'uuid'), True), False)
                    else:
                        # by items: there is no value, or it has extensions, or another shape or type
                        for v in fp.items_at(ext, _value_10):
                            assign(ext_2, 'value', [v], (('Address', 'Age', 'Annotation', 'Attachment', 'CodeableConcept', 'Coding', 'ContactDetail', 'ContactPoint', 'Contributor', 'Count', 'DataRequirement', 'Distance', 'Dosage', 'Duration', 'Expression', 'HumanName', 'Identifier', 'Meta', 'Money', 'ParameterDefinition', 'Period', 'Quantity', 'Range', 'Ratio', 'Reference', 'RelatedArtifact', 'SampledData', 'Signature', 'Timing', 'TriggerDefinition', 'UsageContext', 'base64Binary', 'boolean', 'canonical', 'code', 'date', 'dateTime', 'decimal', 'id', 'instant', 'integer', 'markdown', 'oid', 'positiveInt', 'string', 'time', 'unsignedInt', 'uri', 'url', 'uuid'), True), False)
                except run.caught as error:
                    run.fail(error)
                if not ext_2:
                    discard(tgt_extension, ext_2)
    except run.caught as error:
        run.fail(error, (src, _extension_7))

    if tgt_extension:
        tgt['extension'] = tgt_extension


def date(src, tgt, run):
    """group date(source src : date, target tgt : date)  case.map:13"""
    # id  (case.map:21)
    try:
        # by items: id may have extensions
        for v in fp.child(src, 'id'):
            assign_once(run, tgt, 'id', [v], (('string',), False), _write_11)
    except run.caught as error:
        run.fail(error)

    # extension  (case.map:22)
    try:
        # by items: extension is read from an item
        for e in fp.child(src, 'extension'):
            assign(tgt, 'extension', [e], (('Extension',), False), True)
    except run.caught as error:
        run.fail(error)

    # value  (case.map:13)
    try:
        # by items: value may have extensions
        for v in fp.child(src, 'value'):
            assign_once(run, tgt, 'value', [v], (('date',), False), _write_12)
    except run.caught as error:
        run.fail(error)


def boolean(src, tgt, run):
    """group boolean(source src : boolean, target tgt : boolean)  case.map:14"""
    # id  (case.map:21)
    try:
        # by items: id may have extensions
        for v in fp.child(src, 'id'):
            assign_once(run, tgt, 'id', [v], (('string',), False), _write_11)
    except run.caught as error:
        run.fail(error)

    # extension  (case.map:22)
    try:
        # by items: extension is read from an item
        for e in fp.child(src, 'extension'):
            assign(tgt, 'extension', [e], (('Extension',), False), True)
    except run.caught as error:
        run.fail(error)

    # value  (case.map:14)
    try:
        # by items: value may have extensions
        for v in fp.child(src, 'value'):
            assign_once(run, tgt, 'value', [v], (('boolean',), False), _write_13)
    except run.caught as error:
        run.fail(error)


def name(src, tgt, run):
    """group name(source src : HumanName, target tgt : HumanName)  case.map:16"""
    # family  (case.map:17)
    try:
        # by items: family may have extensions
        for family in fp.items_at(src, _family_14):
            family_2 = slot(tgt, 'family', (('string',), False), False)
            string(family, family_2, run)
    except run.caught as error:
        run.fail(error)

    # given  (case.map:18)
    try:
        # by items: given may have extensions
        for given in fp.items_at(src, _given_15):
            given_2 = slot(tgt, 'given', (('string',), False), True)
            string(given, given_2, run)
    except run.caught as error:
        run.fail(error)


def string(src, tgt, run):
    """group string(source src : string, target tgt : string)  case.map:15"""
    # id  (case.map:21)
    try:
        # by items: id may have extensions
        for v in fp.child(src, 'id'):
            assign_once(run, tgt, 'id', [v], (('string',), False), _write_11)
    except run.caught as error:
        run.fail(error)

    # extension  (case.map:22)
    try:
        # by items: extension is read from an item
        for e in fp.child(src, 'extension'):
            assign(tgt, 'extension', [e], (('Extension',), False), True)
    except run.caught as error:
        run.fail(error)

    # value  (case.map:15)
    try:
        # by items: value may have extensions
        for v in fp.child(src, 'value'):
            # by items: %v is an item
            assign_once(run, tgt, 'value', fp.concatenate([v], ['!']), (('string',), False), _write_16)
    except run.caught as error:
        run.fail(error)


def _transform(row, strict=False):
    """One record: what it becomes, with notes and faults; no resource where it is out of scope."""
    run = _Run()
    if strict:
        run.caught = ()
    try:
        source = row if type(row) is dict and row.get('resourceType') == 'Patient' else fp.object_root(row, 'Patient', _types_1, 'Patient')
    except run.caught as error:
        run.abandon(error)
        return run.result({}, _places)
    run.resource = source
    resource = {'resourceType': 'Person'}
    try:
        entry(source, resource, run)
        resource = pruned(resource) or {}
    except run.caught as error:
        run.abandon(error)
    if len(resource) == 1 and not run.failed:
        return run.nothing()
    return Result(resource) if run.is_silent else run.result(resource, _places)


# From this line on -> where the map says so.
_marks = {
    71: 'case.map:5:7',
    73: 'case.map:5:1',
    78: 'case.map:6:3',
    79: 'case.map:6:25',
    80: 'case.map:6:49',
    87: 'case.map:7:3',
    88: 'case.map:7:22',
    89: 'case.map:7:63',
    95: 'case.map:8:3',
    97: 'case.map:8:15',
    99: 'case.map:8:3',
    100: 'case.map:8:15',
    108: 'case.map:9:3',
    109: 'case.map:9:29',
    111: 'case.map:9:69',
    117: 'case.map:10:3',
    119: 'case.map:10:22',
    122: 'case.map:10:3',
    123: 'case.map:10:22',
    131: 'case.map:11:3',
    133: 'case.map:11:27',
    137: 'case.map:11:55',
    139: 'case.map:11:73',
    142: 'case.map:11:55',
    143: 'case.map:11:73',
    148: 'case.map:11:88',
    150: 'case.map:11:106',
    153: 'case.map:11:88',
    154: 'case.map:11:106',
    157: 'case.map:11:27',
    162: 'case.map:5:1',
    166: 'case.map:13:7',
    171: 'case.map:21:3',
    172: 'case.map:21:18',
    179: 'case.map:22:3',
    180: 'case.map:22:25',
    187: 'case.map:13:78',
    188: 'case.map:13:96',
    193: 'case.map:14:7',
    198: 'case.map:21:3',
    199: 'case.map:21:18',
    206: 'case.map:22:3',
    207: 'case.map:22:25',
    214: 'case.map:14:87',
    215: 'case.map:14:105',
    220: 'case.map:16:7',
    225: 'case.map:17:3',
    226: 'case.map:17:17',
    227: 'case.map:17:3',
    234: 'case.map:18:3',
    235: 'case.map:18:16',
    236: 'case.map:18:3',
    241: 'case.map:15:7',
    246: 'case.map:21:3',
    247: 'case.map:21:18',
    254: 'case.map:22:3',
    255: 'case.map:22:25',
    262: 'case.map:15:84',
    264: 'case.map:15:102',
    269: '',
}
