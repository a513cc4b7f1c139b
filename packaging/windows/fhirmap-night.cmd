@echo off
rem One run of the project in this folder; its log beside it. The task ends with the exit code of the run.
setlocal
cd /d "%~dp0"
set FHIRMAP_LOG_FORMAT=json
"C:\Program Files\fhirmap\Scripts\fhirmap.exe" run >> night-report.txt 2>> night.ndjson
exit /b %ERRORLEVEL%
